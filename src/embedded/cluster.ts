import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Binaries } from './binaries.ts'
import { fillFolder } from './folders.ts'
import type { Home } from './home.ts'
import { damaged, lastWords, machineFault, otherVersion, startupFault } from './start-faults.ts'

export const ROLE = 'gatehouse'
const INITDB_MS = 60_000

/**
 * Makes the data and the password together if there are none, and returns the password. Throws
 * `StartupError` if they cannot be used.
 */
export async function ensureCluster(home: Home, binaries: Binaries): Promise<string> {
  if (!existsSync(home.cluster)) await initialise(home, binaries)
  const version = contents(join(home.data, 'PG_VERSION'))
  const password = contents(home.password)
  if (version === undefined) throw damaged(home.data, 'PG_VERSION is missing')
  if (version !== binaries.major) throw otherVersion(home.data, version, binaries.major)
  if (password === undefined) throw damaged(home.cluster, 'the password file is missing')
  return password
}

async function initialise(home: Home, binaries: Binaries): Promise<void> {
  await fillFolder(home.cluster, async (draft) => {
    const password = join(draft, 'password')
    mkdirSync(draft, { mode: 0o700 })
    writeFileSync(password, randomBytes(32).toString('base64url'), { mode: 0o600 })
    if (home.user)
      for (const path of [draft, password]) chownSync(path, home.user.uid, home.user.gid)
    await initdb(home, binaries, ['-D', join(draft, 'data'), '--pwfile', password])
  }).catch((error: unknown) => {
    throw startupFault(error, home.root)
  })
  // What the server wrote about earlier data.
  rmSync(home.log, { force: true })
}

/**
 * Not synced to disk, which halves its time; a machine that loses power in the first half minute
 * starts again with `npm run reset`.
 */
async function initdb(
  home: Home,
  { initdb, env }: Binaries,
  args: readonly string[],
): Promise<void> {
  const options = [
    '--no-sync',
    '--no-instructions',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--wal-segsize=4',
    '-U',
    ROLE,
  ]
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
  const child = spawn(initdb, [...args, ...options, ...locale], {
    ...home.user,
    env,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: INITDB_MS,
    killSignal: 'SIGKILL',
  })
  const exit = new Promise<number | null>((resolve, reject) =>
    child.on('error', reject).on('close', resolve),
  )
  const [code, output] = await Promise.all([exit, text(child.stderr), text(child.stdout)])
  if (code === 0) return
  throw (
    machineFault(output, home.root) ??
    new Error(
      `its data cannot be made: ${code === null ? 'initdb took too long' : lastWords(output)}`,
    )
  )
}

function contents(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw startupFault(error, path)
  }
}
