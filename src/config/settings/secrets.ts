import { z } from 'zod'
import { list, secret } from '../setting-types.ts'

/** What must not be known, and how hard it is to guess passwords. */
export const SECRET_SETTINGS = {
  COOKIE_KEYS: list
    .pipe(z.array(secret).min(1))
    .optional()
    .describe('Secrets that sign cookies, newest first, separated by commas.'),
  KEY_ENCRYPTION_KEYS: list
    .pipe(z.array(secret).min(1))
    .optional()
    .describe(
      'Secrets that encrypt private keys and TOTP secrets at rest (AES-256-GCM), newest first, separated by commas.',
    ),
  PEPPERS: list
    .pipe(z.array(secret).min(1))
    .optional()
    .describe(
      'Optional secrets mixed into password hashes, newest first, separated by commas. Keep an old one in the list until no hash needs it: those who use it could not sign in.',
    ),
  ARGON2_MEMORY_KIB: z.coerce
    .number()
    .int()
    .min(19_456, 'must be at least 19456 (PW-07)')
    .max(4_194_304)
    .default(19_456)
    .describe('argon2id memory.'),
  ARGON2_PASSES: z.coerce
    .number()
    .int()
    .min(2, 'must be at least 2 (PW-07)')
    .max(20)
    .default(2)
    .describe('argon2id passes.'),
}
