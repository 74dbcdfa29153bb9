import { z } from 'zod'
import { BRAND_SETTINGS } from './settings/appearance.ts'
import { MAIL_SETTINGS } from './settings/mail-delivery.ts'
import { OUTGOING_SETTINGS } from './settings/outgoing.ts'
import { POLICY_SETTINGS } from './settings/policy.ts'
import { REGISTRATION_SETTINGS } from './settings/registration.ts'
import { SECRET_SETTINGS } from './settings/secrets.ts'
import { SERVER_SETTINGS } from './settings/server.ts'
import { SIGN_IN_SETTINGS } from './settings/sign-in.ts'
import { STORAGE_SETTINGS } from './settings/storage.ts'

/**
 * Every setting. `describe` becomes the table in docs/operations.md; secrets may also be given as
 * `<NAME>_FILE`.
 */
export const EnvSchema = z.strictObject({
  ...SERVER_SETTINGS,
  ...STORAGE_SETTINGS,
  ...MAIL_SETTINGS,
  ...OUTGOING_SETTINGS,
  ...BRAND_SETTINGS,
  ...SECRET_SETTINGS,
  ...SIGN_IN_SETTINGS,
  ...REGISTRATION_SETTINGS,
  ...POLICY_SETTINGS,
})
export type Env = z.infer<typeof EnvSchema>

export const SECRETS = [
  'DATABASE_URL',
  'DATABASE_DIRECT_URL',
  'REDIS_URL',
  'SMTP_URL',
  'COOKIE_KEYS',
  'KEY_ENCRYPTION_KEYS',
  'PEPPERS',
] as const
