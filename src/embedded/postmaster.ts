import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  fchownSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Binaries } from './binaries.ts'
import { ROLE } from './cluster.ts'
import { freePort } from './free-port.ts'
import type { Home } from './home.ts'
import { holdsWithin, isAlive, isServerOf } from './processes.ts'

export const DATABASE = 'gatehouse'

/** Crash recovery of a large database takes its time. */
const READY_MS = 60_000
/** Fast shutdown (clients are cut off, a checkpoint is written), immediate shutdown, none. */
const STOP = [
  ['SIGINT', 15_000],
  ['SIGQUIT', 3_000],
  ['SIGKILL', 5_000],
] as const
const LOG_LIMIT = 1_000_000

/** What `postmaster.pid` says. The server fills its lines one by one while it starts. */
export interface Postmaster {
  readonly pid: number
  /** NaN until the server listens. */
  readonly port: number
  readonly status: string
}

/**
 * A small server for one program: loopback only, no sockets, no helpers it has no use for. fsync
 * stays on.
 */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 120,
  shared_buffers: '32MB',
  huge_pages: 'off',
  io_method: 'sync',
  wal_level: 'minimal',
  max_wal_senders: 0,
  max_wal_size: '128MB',
  max_logical_replication_workers: 0,
  max_parallel_workers_per_gather: 0,
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  // Statements and values stay out of the log (LG-02).
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
}

export function readPostmaster({ data }: Home): Postmaster | undefined {
  let lines: string[]
  try {
    lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
  } catch (error) {
    // A server that ends takes it away at any moment.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return {
    pid: Number(lines[0]),
    port: lines[3] ? Number(lines[3]) : Number.NaN,
    status: lines[7]?.trim() ?? '',
  }
}

/**
 * The server that runs on our data, also if another program started it. Clears a file left behind whose pid now
 * belongs to another program.
 */
export function findPostmaster(home: Home): Postmaster | undefined {
  const found = readPostmaster(home)
  if (!found || isServerOf(home.data, found.pid)) return found
  // A dead pid PostgreSQL clears itself; a foreign one it would take for itself and refuse to start.
  if (isAlive(found.pid)) rmSync(join(home.data, 'postmaster.pid'), { force: true })
  return undefined
}

export function urlOf({ port }: Postmaster, password: string): string {
  return `postgresql://${ROLE}:${password}@127.0.0.1:${port}/${DATABASE}`
}

/**
 * Starts the server and waits until it accepts connections. It outlives us if we are killed: the
 * next start adopts it.
 */
export async function launch(
  home: Home,
  { postgres, env }: Binaries,
): Promise<{ status: 'ready' } | { status: 'failed'; output: string }> {
  const keep = existsSync(home.log) && statSync(home.log).size < LOG_LIMIT
  const log = openSync(home.log, keep ? 'a' : 'w', 0o600)
  if (home.user) fchownSync(log, home.user.uid, home.user.gid)
  const before = statSync(home.log).size
  const settings = { ...SETTINGS, port: await freePort() }
  const args = [
    '-D',
    home.data,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
  // A process group of its own: Ctrl-C in a terminal must reach Gatehouse only, which then stops
  // the server last.
  const child = spawn(postgres, args, {
    ...home.user,
    env,
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  let ended = ''
  child
    .on('error', (error) => (ended = `${error.message}\n`))
    .on('exit', (code, signal) => (ended ||= `ended with ${signal ?? code}\n`))

  const isReady = () => {
    const { pid, status } = readPostmaster(home) ?? {}
    return ended !== '' || (pid === child.pid && status === 'ready')
  }
  const inTime = await holdsWithin(READY_MS, isReady)
  if (inTime && ended === '') return { status: 'ready' }
  if (!inTime) child.kill('SIGKILL')
  return {
    status: 'failed',
    output: `${inTime ? ended : 'it was not ready in time\n'}${readFileSync(home.log, 'utf8').slice(before)}`,
  }
}

/**
 * Stops the server, more roughly the longer it takes; a hung one at once so. False if it outlives
 * that, or is another user's.
 */
export async function stop(
  home: Home,
  { pid }: Postmaster,
  state: 'well' | 'hung' = 'well',
): Promise<boolean> {
  const isGone = () => !isServerOf(home.data, pid)
  for (const [signal, milliseconds] of state === 'well' ? STOP : STOP.slice(1)) {
    if (isGone()) return true
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') return false
    }
    if (await holdsWithin(milliseconds, isGone)) return true
  }
  return false
}
