import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { StartupError } from '../errors.ts'
import { appear } from '../whole-file.ts'
import type { Secrets } from './config.ts'
import type { Env } from './env-schema.ts'

const Stored = z.strictObject({
  cookieKeys: z.array(z.string().min(32)).min(1),
  keyEncryptionKeys: z.array(z.string().min(32)).min(1),
})

/**
 * Secrets from the environment; outside production the missing ones are made once and kept in
 * `<dataDir>/secrets.json` (0600).
 */
export function loadSecrets(env: Env): Secrets {
  const { COOKIE_KEYS: cookieKeys, KEY_ENCRYPTION_KEYS: keyEncryptionKeys } = env
  if (cookieKeys && keyEncryptionKeys) return { cookieKeys, keyEncryptionKeys }
  const stored = readOrCreate(join(env.DATA_DIR, 'secrets.json'))
  return {
    cookieKeys: cookieKeys ?? stored.cookieKeys,
    keyEncryptionKeys: keyEncryptionKeys ?? stored.keyEncryptionKeys,
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
      // Else another first start was quicker.
      if (appear(path, `${JSON.stringify(made, null, 2)}\n`, 0o600)) return made
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      throw new StartupError(
        `${path} cannot be written (${code}). Set DATA_DIR to a folder that this user may write to.`,
        { cause },
      )
    }
  }
  try {
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
    return Stored.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
      throw new StartupError(
        `${path} belongs to another user. Start Gatehouse as that user, or set DATA_DIR to another folder.`,
        { cause },
      )
    throw new StartupError(
      `${path} is damaged. Restore it from a backup, or run "npm run reset" to start again with empty data.`,
    )
  }
}
