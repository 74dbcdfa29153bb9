import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { StartupError } from '../errors.ts'
import type { Secrets } from './config.ts'
import type { Env } from './env.ts'

const Stored = z.strictObject({ cookieKeys: z.array(z.string().min(32)).min(1), keyEncryptionKeys: z.array(z.string().min(32)).min(1) })

/** Secrets from the environment; outside production the missing ones are made once and kept in `<dataDir>/secrets.json` (0600). */
export function loadSecrets(env: Env): Secrets {
  const { COOKIE_KEYS: cookieKeys, KEY_ENCRYPTION_KEYS: keyEncryptionKeys } = env
  if (cookieKeys && keyEncryptionKeys) return { cookieKeys, keyEncryptionKeys }
  const stored = readOrCreate(join(env.DATA_DIR, 'secrets.json'))
  return { cookieKeys: cookieKeys ?? stored.cookieKeys, keyEncryptionKeys: keyEncryptionKeys ?? stored.keyEncryptionKeys }
}

/** Nobody finds the file half written, and nobody replaces what was quicker: `EEXIST`. */
function createWhole(path: string, text: string): void {
  const draft = `${path}.${process.pid}`
  try {
    writeFileSync(draft, text, { mode: 0o600 })
    linkSync(draft, path)
  } catch (error) {
    // A file system without hard links.
    if (!existsSync(draft) || existsSync(path)) throw error
    renameSync(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
}

function readOrCreate(path: string): Secrets {
  if (!existsSync(path)) {
    const made: Secrets = {
      cookieKeys: [randomBytes(48).toString('base64url')],
      keyEncryptionKeys: [randomBytes(48).toString('base64url')],
    }
    try {
      mkdirSync(join(path, '..'), { recursive: true, mode: 0o755 })
      createWhole(path, `${JSON.stringify(made, null, 2)}\n`)
    } catch (cause) {
      // Another first start was quicker.
      if (existsSync(path)) return readOrCreate(path)
      const { code } = cause as NodeJS.ErrnoException
      throw new StartupError(`${path} cannot be written (${code}). Set DATA_DIR to a folder that this user may write to.`, { cause })
    }
    return made
  }
  try {
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
    return Stored.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
      throw new StartupError(`${path} belongs to another user. Start Gatehouse as that user, or set DATA_DIR to another folder.`, { cause })
    throw new StartupError(`${path} is damaged. Restore it from a backup, or run "npm run reset" to start again with empty data.`)
  }
}
