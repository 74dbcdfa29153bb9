import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** The server that is measured and the generator take turns on this one. */
export const MEASURED_CORE = '0'
/** The databases have this one. */
export const STORAGE_CORE = '1'
export const ALL_CORES = `0-${cpus().length - 1}`

/**
 * All threads of a process on these cores, and what they start later; false where the system has no
 * `taskset`.
 */
export function pin(pid: number, cores: string): boolean {
  try {
    execFileSync('taskset', ['-a', '-c', '-p', cores, String(pid)], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A process and all that came of it. */
export function familyOf(pid: number): number[] {
  const children = (read(`/proc/${pid}/task/${pid}/children`) ?? '')
    .split(' ')
    .filter(Boolean)
    .map(Number)
  return [pid, ...children.flatMap(familyOf)]
}

const TICKS_PER_SECOND = 100

/**
 * Seconds that the measured core has worked for anybody, or was taken by the host; undefined where
 * the system does not tell.
 */
export function busySeconds(): number | undefined {
  const line = new RegExp(`^cpu${MEASURED_CORE} (.+)`, 'm').exec(read('/proc/stat') ?? '')?.[1]
  if (!line) return undefined
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .split(' ')
    .map(Number)
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND
}

/** Seconds that a process has worked; 0 where there is none, or the system does not tell. */
export function workedSeconds(pid: number | undefined): number {
  const stat = read(`/proc/${pid}/stat`) ?? ''
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return (user + system) / TICKS_PER_SECOND
}

/** Megabytes of a process by the name of a line in its `status` or `smaps_rollup`. */
export function memoryOf(
  pid: number | undefined,
  file: 'status' | 'smaps_rollup',
  key: string,
): number {
  return (
    (Number(
      new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(read(`/proc/${pid}/${file}`) ?? '')?.[1] ??
        Number.NaN,
    ) *
      1024) /
    1e6
  )
}

export function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
