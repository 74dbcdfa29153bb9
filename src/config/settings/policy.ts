import { z } from 'zod'
import { guesses } from '../setting-types.ts'

/** What accounts and tokens are held to. */
export const POLICY_SETTINGS = {
  LIMITS_SIGN_IN: guesses(
    'sign-in',
    'Wrong passwords of one network in five minutes. Raise it where many people share an address.',
  ),
  LIMITS_VERIFY: guesses('verify', 'Wrong codes and mailed links of one network in five minutes.'),
  LIMITS_SENSITIVE: guesses(
    'sensitive',
    'Sensitive calls and pages of one network in five minutes that did not succeed.',
  ),
  RECOVERY_HOLD_HOURS: z.coerce
    .number()
    .int()
    .min(0)
    .max(72)
    .default(24)
    .describe(
      'How long the recovery of an account with two factors waits, if nothing but the mailbox was shown. 0: it needs a recovery code.',
    ),
  REFRESH_LEEWAY_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .max(60)
    .default(10)
    .describe(
      'How long a refresh token that was used gives the same answer again, and a second use of a code is refused without ending its family. 0: never. Apps that do not authenticate: 10 at most.',
    ),
  KEY_ROTATION_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3650)
    .default(90)
    .describe('Age at which a signing key is replaced by itself.'),
  AUDIT_RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .default(400)
    .describe('Age at which audit events are deleted; what remains can still be verified.'),
}
