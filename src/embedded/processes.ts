import { readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Whether a process with that id runs; one that has ended and was not collected by its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  // "pid (name) state ...": the name may hold spaces and brackets.
  return !/^.*\) [ZX] /s.test(read(`/proc/${pid}/stat`) ?? '')
}

/**
 * Whether a living process is the server of that data folder; after a reboot its id may be another
 * program's.
 */
export function isServerOf(data: string, pid: number): boolean {
  if (!isAlive(pid)) return false
  // Without /proc PostgreSQL's own check of the pid has to do.
  if (process.platform !== 'linux') return true
  if (read(`/proc/${pid}/cmdline`)?.split('\0').includes(data)) return true
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === data
  } catch {
    return false
  }
}

/** True as soon as the condition holds; false if it does not within the time. */
export async function holdsWithin(
  milliseconds: number,
  condition: () => boolean,
): Promise<boolean> {
  const end = performance.now() + milliseconds
  while (!condition()) {
    if (performance.now() > end) return false
    await sleep(5)
  }
  return true
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
