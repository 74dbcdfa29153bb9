import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach } from '@jest/globals'
import pg from 'pg'
import { resetData } from '../../src/embedded/reset.ts'
import { eventually } from '../support/eventually.ts'

const SRC = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'src')

export interface Owner {
  readonly url: string
  readonly adopted: boolean
  /** Ends the process as a person would; resolves when it is gone. */
  stop(): Promise<void>
  kill(): Promise<void>
}
export interface OwnerOptions {
  readonly user?: { readonly uid: number; readonly gid: number } | undefined
  readonly src?: string
}

const owners = new Set<ChildProcess>()
const folders = new Set<string>()
afterEach(async () => {
  for (const child of owners)
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
  owners.clear()
  for (const folder of folders) {
    chmodSync(folder, 0o755)
    // PostgreSQL may notice a moment later that a process which was killed is gone.
    const reset = () => resetData(join(folder, 'data')).then(() => 'reset', String)
    await eventually(reset, 'reset')
    rmSync(folder, { recursive: true, force: true })
  }
  folders.clear()
})

/** Kills the process when the test ends, before its data folder goes. */
export function endWithTest<T extends ChildProcess>(child: T): T {
  owners.add(child)
  return child
}

/**
 * A data folder that does not exist yet, inside a folder of the given user. It and its server end
 * with the test.
 */
export function dataFolder({
  user,
  mode = 0o755,
}: {
  user?: OwnerOptions['user']
  mode?: number
} = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-embedded-'))
  folders.add(folder)
  chmodSync(folder, mode)
  if (user) chownSync(folder, user.uid, user.gid)
  return join(folder, 'data')
}

/** Starts the server in a process of its own. Rejects with the sentence if it does not start. */
export async function own(dataDir: string, { user, src = SRC }: OwnerOptions = {}): Promise<Owner> {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'owner.ts')
  const child = spawn(process.execPath, [script, src, dataDir], {
    ...user,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {},
  })
  owners.add(child)
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const [line] = await Promise.race([
    new Promise<string[]>((resolve) =>
      createInterface(child.stdout).once('line', (text) => resolve([text])),
    ),
    gone.then(() => []),
  ])
  const said = JSON.parse(line ?? '{"error":"it ended without a word"}') as {
    url: string
    adopted: boolean
    error?: string
  }
  if (said.error !== undefined) throw new Error(said.error)
  const end = (how: () => void) => () => {
    how()
    return gone
  }
  return {
    url: said.url,
    adopted: said.adopted,
    stop: end(() => child.stdin.end()),
    kill: end(() => child.kill('SIGKILL')),
  }
}

/** Ids of the PostgreSQL processes on that data folder, found in the process table. */
export function serversOf(dataDir: string): number[] {
  const root = homeOf(dataDir)
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      const path = `/proc/${pid}/cmdline`
      try {
        return readFileSync(path, 'utf8').includes(`${root}/cluster/data`)
      } catch {
        return false
      }
    })
    .map(Number)
}

/** `<dataDir>/postgres`, or where the pointer leads. */
export function homeOf(dataDir: string): string {
  const pointer = join(dataDir, 'postgres.path')
  return existsSync(pointer) ? readFileSync(pointer, 'utf8').trim() : join(dataDir, 'postgres')
}

export async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows.flatMap((row) =>
      Object.values(row),
    )
  } finally {
    await client.end()
  }
}
