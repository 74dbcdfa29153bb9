import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { BARE, type Settings } from '../support/commands.ts'

const START_MS = 120_000
const END_MS = 10_000

/** A program that listens on a port, until it is disposed of. */
export interface Program extends AsyncDisposable {
  /** All that it has said. */
  said(): string
}

/** Starts a program of the app and waits until its port can be reached. */
export async function start(
  [command, ...args]: readonly [string, ...string[]],
  { folder, settings, port }: { folder: string; settings: Settings; port: number },
): Promise<Program> {
  const child = spawn(command === 'node' ? process.execPath : command, args, {
    cwd: folder,
    env: { ...BARE, HOME: process.env['HOME'] ?? '', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let said = ''
  const listen = (chunk: Buffer): void => {
    said += chunk.toString()
  }
  child.stdout.on('data', listen)
  child.stderr.on('data', listen)
  const program = { said: () => said, [Symbol.asyncDispose]: () => end(child) }
  const ended = new Promise<never>((_resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) =>
      reject(new Error(`${[command, ...args].join(' ')} ended with ${code}: ${said}`)),
    )
  })
  ended.catch(() => undefined)
  try {
    await Promise.race([reachable(port), ended])
    return program
  } catch (error) {
    await end(child)
    throw new Error(`${(error as Error).message}\n${said}`, { cause: error })
  }
}

/** It is asked to end what it has started; what is left of its group is killed. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit', { signal: AbortSignal.timeout(END_MS) })
    child.kill('SIGTERM')
    await ended.catch(() => undefined)
  }
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nothing is left.
  }
}

async function reachable(port: number): Promise<void> {
  const deadline = Date.now() + START_MS
  while (!(await answers(port))) {
    if (Date.now() > deadline) throw new Error(`Nothing listens at ${port}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: 'localhost' })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('close', () => socket.destroy())
    socket.once('connect', () => socket.end())
  })
}
