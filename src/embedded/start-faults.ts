import { StartupError } from '../errors.ts'

const OWN_DATABASE = 'Set DATABASE_URL to a PostgreSQL of your own.'

/**
 * Faults of the machine, told by an error code or by what PostgreSQL wrote. The first that fits is
 * reported.
 */
const MACHINE: readonly (readonly [pattern: RegExp, sentence: (dir: string) => string])[] = [
  [
    /spawn .+ E(PERM|INVAL)/,
    () =>
      `PostgreSQL refuses to run as root, and this system does not let root start it as another user. ${OWN_DATABASE}`,
  ],
  [
    /ENOSPC|EDQUOT|No space left on device|quota exceeded/i,
    (dir) => `The disk that holds ${dir} is full.`,
  ],
  [
    /could not look up effective user ID/,
    () =>
      `PostgreSQL needs a user with an account on this system, and this one has none. ${OWN_DATABASE}`,
  ],
  [
    // The program is there, so an ENOENT is about the loader it names: a system without glibc.
    /spawn .+ ENOENT|GLIBC_|GLIBCXX_|error while loading shared libraries|symbol not found|Exec format error|ENOEXEC/,
    () => `The bundled PostgreSQL does not run on this system: it needs glibc. ${OWN_DATABASE}`,
  ],
  [
    /has invalid permissions/,
    (dir) =>
      `The file system of ${dir} does not keep file permissions, which PostgreSQL needs. Set DATA_DIR to a folder elsewhere.`,
  ],
  [
    /has wrong ownership/,
    (dir) =>
      `${dir} belongs to another user. Start Gatehouse as that user, or set DATA_DIR to another folder.`,
  ],
  [
    /Cannot allocate memory|could not create shared memory|ENOMEM/,
    () => 'There is not enough memory to start the bundled PostgreSQL.',
  ],
  [
    /EACCES|EROFS|EPERM|ENOENT.+mkdir|Permission denied|Read-only file system|Operation not permitted/,
    (dir) =>
      `${dir} cannot be written by this user. Mend its permissions, or set DATA_DIR to another folder.`,
  ],
]

/** One sentence for a fault in the files under `dir`; `StartupError`s pass through. */
export function startupFault(cause: unknown, dir: string): StartupError {
  if (cause instanceof StartupError) return cause
  const { code = '', message }: NodeJS.ErrnoException =
    cause instanceof Error ? cause : new Error(String(cause))
  return (
    machineFault(`${code} ${message}`, dir) ??
    new StartupError(`The embedded database cannot be used: ${message}.`, { cause })
  )
}

/** The fault of the machine that the text tells of, if it does. */
export function machineFault(text: string, dir: string): StartupError | undefined {
  const found = MACHINE.find(([pattern]) => pattern.test(text))
  return found && new StartupError(found[1](dir))
}

export function unsupported(platform: string): StartupError {
  return new StartupError(`There is no bundled PostgreSQL for ${platform}. ${OWN_DATABASE}`)
}

export function damaged(dir: string, detail: string): StartupError {
  return new StartupError(
    `The data in ${dir} is damaged (${detail}). Restore it from a backup, or run "npm run reset" to start again with empty data.`,
  )
}

export function otherVersion(dir: string, found: string, bundled: string): StartupError {
  return new StartupError(
    `The data in ${dir} was written by PostgreSQL ${found}, and the bundled one is ${bundled}. ` +
      'Start the earlier Gatehouse and move the data with pg_dump, or run "npm run reset" to start again with empty data.',
  )
}

/** The words of the last FATAL or PANIC line that PostgreSQL wrote, or of its last line. */
export function lastWords(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '')
  const worst =
    lines.findLast((line) => /\b(FATAL|PANIC):/.test(line)) ??
    lines.findLast((line) => /error:/.test(line)) ??
    lines.at(-1)
  return worst?.replace(/^.*?\b(FATAL|PANIC|error):\s*/, '').trim() ?? 'it says nothing'
}
