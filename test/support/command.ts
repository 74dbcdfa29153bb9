import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { COMPILE_CACHE } from './compile-cache.ts'
import type { TestServer } from './server.ts'

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The command as an operator runs it, in a process of its own on the server's database. */
export function gatehouseOn(
  { config }: Pick<TestServer, 'config'>,
  folder: string,
): (words: readonly string[], stdin?: string) => Promise<Outcome> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    DATABASE_URL: config.database.url,
    DATA_DIR: folder,
    ISSUER: config.issuer,
    COOKIE_KEYS: config.secrets.cookieKeys.join(),
    KEY_ENCRYPTION_KEYS: config.secrets.keyEncryptionKeys.join(),
    ...COMPILE_CACHE,
  }
  return (words, stdin = '') =>
    new Promise((resolve, reject) => {
      const cli = join(import.meta.dirname, '../../src/cli.ts')
      const child = spawn(process.execPath, [cli, ...words], { env, cwd: folder })
      const said = { stdout: '', stderr: '' }
      for (const name of ['stdout', 'stderr'] as const)
        child[name].on('data', (chunk: Buffer) => {
          said[name] += chunk.toString('utf8')
        })
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, ...said }))
      child.stdin.end(stdin)
    })
}
