import { z } from 'zod'
import { flag, list, oneOrMoreOf, webOrigin } from '../setting-types.ts'
import { FIRST_METHODS, LEVELS } from '../sign-in-words.ts'

/** How people may sign in, and how strongly. */
export const SIGN_IN_SETTINGS = {
  SIGN_IN_METHODS: oneOrMoreOf(FIRST_METHODS)
    .default(['password', 'passkey'])
    .describe(
      'What a sign-in may begin with: `password`, `passkey`, `email-code` (a code to the address), separated by commas. What is left out stays stored, and signs in again once it is back. No passkey is offered where the host of ISSUER is an address: browsers make none there.',
    ),
  SECOND_FACTORS: oneOrMoreOf(['totp', 'passkey', 'none'])
    .default(['totp', 'passkey'])
    .describe(
      'What people may add as a second step: `totp` (an authenticator app), `passkey`; or `none`. Who has another is still asked for it.',
    ),
  REQUIRE_LEVEL: z
    .enum(LEVELS, { error: 'must be 1fa, 2fa or phr' })
    .optional()
    .describe(
      'What every sign-in must reach: `1fa` one factor, `2fa` two, `phr` two that resist phishing, which is a passkey. Default `1fa`.',
    ),
  TRUSTED_DEVICE_DAYS: z.coerce
    .number()
    .int()
    .min(0)
    .max(90)
    .default(0)
    .describe(
      'For how many days people may let a device of theirs skip the second step, 0 to 90; 0: not at all. `REQUIRE_LEVEL=2fa` takes it; an app that demands more, and sensitive pages, do not.',
    ),
  RELATED_ORIGINS: list
    .pipe(z.array(webOrigin).max(5, 'must be at most 5: browsers read no more'))
    .optional()
    .describe(
      'Other web origins of yours, such as `https://app.example.org`, up to five, whose pages may use the passkeys of this server through `/api/auth`. Browsers read them at `/.well-known/webauthn`.',
    ),
  REQUIRE_MFA: flag
    .optional()
    .describe('The older name: `true` is `REQUIRE_LEVEL=2fa`, `false` is `1fa`.'),
}
