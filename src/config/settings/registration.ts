import { domainToASCII, domainToUnicode } from 'node:url'
import { z } from 'zod'
import { PROOF_OF_WORK, REGISTRATION_MODES } from '../registration-modes.ts'
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
  PROOF_OF_WORK: z
    .enum(PROOF_OF_WORK)
    .default('adaptive')
    .describe(
      'When the sign-up form has the browser work half a second for a mail that comes at once: `off` never, `adaptive` while half of the mails of an hour are spent, `always`. A browser that does not waits a minute for the mail. See [Programs that sign up](#programs-that-sign-up).',
    ),
  TERMS_VERSION: z
    .string()
    .regex(/^[!-~]{1,32}$/, 'must be 1 to 32 characters of ASCII without spaces')
    .optional()
    .describe(
      'Which version of the terms at `TERMS_URL` everybody has to accept: at the sign-up, and at the next sign-in once it has changed. See [Terms](#terms).',
    ),
}
