import { domainToASCII, domainToUnicode } from 'node:url'
import { z } from 'zod'
import { REGISTRATION_MODES } from '../registration-modes.ts'
import { domain, flag, list } from '../setting-types.ts'

/** A domain has one spelling here, as the addresses that are held against it have. */
const canonicalDomain = domain.refine(
  (name) => domainToASCII(domainToUnicode(name)) === name,
  'must be domains such as example.org, separated by commas',
)

/** Who may make an account. */
export const REGISTRATION_SETTINGS = {
  REGISTRATION: z
    .enum(REGISTRATION_MODES)
    .default('open')
    .describe(
      'Who may make an account: `open` everybody, `domains` who has an address of `REGISTRATION_DOMAINS` or an invitation, `invite` who has an invitation, `closed` nobody. Existing accounts keep signing in. See [Who may register](#who-may-register).',
    ),
  REGISTRATION_DOMAINS: list
    .pipe(z.array(canonicalDomain).min(1).max(100))
    .optional()
    .describe(
      'Domains of addresses for `REGISTRATION=domains`, separated by commas: exactly these, not what is below them.',
    ),
  REGISTRATION_SHOW_DOMAINS: flag
    .default(false)
    .describe('The sign-up page names these domains; otherwise it only says that there are some.'),
  TERMS_VERSION: z
    .string()
    .regex(/^[!-~]{1,32}$/, 'must be 1 to 32 characters of ASCII without spaces')
    .optional()
    .describe(
      'Which version of the terms at `TERMS_URL` everybody has to accept: at the sign-up, and at the next sign-in once it has changed. See [Terms](#terms).',
    ),
}
