import { readdirSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { argon2Here } from './argon2.ts'
import type { HashAnswer, HashRequest } from './hash-messages.ts'

/** The hash process: computes what it is asked and lives as long as its parent. */

for (const thread of threads()) yieldToServer(thread)

// Without a parent nobody can ask; a terminal's Ctrl-C is for the parent, which still has requests to finish.
process.on('disconnect', () => process.exit(0))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.on('message', (request: HashRequest) => void answer(request))

/**
 * Linux gives the priority of a thread to those that it starts, and to no others: those that are
 * there already get it one by one.
 */
function threads(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number)
  } catch {
    return [process.pid]
  }
}

function yieldToServer(thread: number): void {
  try {
    setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // It has ended already, or the system does not let us.
  }
}

async function answer(request: HashRequest): Promise<void> {
  const { id } = request
  try {
    send({ id, result: await compute(request) })
  } catch (error) {
    send({ id, fault: error instanceof Error ? error.message : String(error) })
  }
}

function compute(request: HashRequest): Promise<Buffer | boolean> {
  if (request.kind === 'digest') return argon2Here.digest(request.text, request.parameters)
  return argon2Here.matches(request.stored, request.text, request.secret)
}

function send(message: HashAnswer): void {
  if (process.connected) process.send?.(message)
}
