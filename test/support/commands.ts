import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Config } from '../../src/config/config.ts'
import { COMPILE_CACHE } from './compile-cache.ts'
import type { TestServer } from './server.ts'

export const CLI = join(import.meta.dirname, '../../src/cli.ts')

/** What an operator's shell has set, and nothing of this process. */
export type Settings = Readonly<Record<string, string>>

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A command by itself: a process that starts cold. */
export const BARE: Settings = { PATH: process.env['PATH'] ?? '', ...COMPILE_CACHE }

interface Stores extends Partial<Pick<TestServer, 'redis'>> {
  readonly config: Pick<Config, 'issuer' | 'secrets'> & {
    readonly database: { readonly url: string }
  }
}

/** The settings of a command on the stores of a server; data of its own it has in `folder`. */
export function settingsFor({ config, redis }: Stores, folder: string): Settings {
  const { database, issuer, secrets } = config
  return {
    ...BARE,
    DATABASE_URL: database.url,
    ...(redis ? { REDIS_URL: redis.url } : {}),
    DATA_DIR: folder,
    ISSUER: issuer,
    COOKIE_KEYS: secrets.cookieKeys.join(),
    KEY_ENCRYPTION_KEYS: secrets.keyEncryptionKeys.join(),
  }
}

/** The command as an operator runs it, in a process of its own. */
export function run(
  args: readonly string[],
  env: Settings,
  { cwd = env['DATA_DIR'], stdin = '' }: { cwd?: string | undefined; stdin?: string } = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [CLI, ...args],
      { env, cwd },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
      },
    )
    child.stdin?.end(stdin)
  })
}
