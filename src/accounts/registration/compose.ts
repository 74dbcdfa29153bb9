import type { AuditSink } from '../../audit/event.ts'
import type { Config } from '../../config/config.ts'
import { StatelessChallenges } from '../../crypto/challenge.ts'
import type { EntityManager } from '../../database/database.ts'
import type { Messages } from '../../mail/messages.ts'
import type { Providers } from '../../upstream/providers.ts'
import type { SignInPolicy } from '../factors/sign-in-policy.ts'
import type { OneTimeTokens } from '../one-time-tokens.ts'
import { Acceptances } from './acceptances.ts'
import { AccountCreation } from './account-creation.ts'
import { Invitations } from './invitations.ts'
import { type AppsThatAdmit, Registration } from './registration.ts'
import { TermsTokens } from './terms-tokens.ts'

/** Who may register, by whose invitation, and what they accept with it. */
export function composeRegistration({
  config,
  audit,
  em,
  messages,
  tokens,
  policy,
  apps,
  providers,
}: {
  config: Config
  audit: AuditSink
  em: EntityManager
  messages: Messages
  tokens: OneTimeTokens
  policy: SignInPolicy
  apps: AppsThatAdmit
  providers: Pick<Providers, 'enforcing'>
}) {
  const { registration: rules, terms, secrets } = config
  const invitations = new Invitations({ audit, em, messages })
  const acceptances = new Acceptances({ audit, em, terms })
  const challenges = new StatelessChallenges(secrets.keyEncryptionKeys, 'terms')
  const ruling = { audit, rules, apps, invitations, providers, acceptances }
  const registration = new Registration(ruling)
  return {
    invitations,
    acceptances,
    termsTokens: new TermsTokens({ acceptances, challenges }),
    registration,
    accountCreation: new AccountCreation({ audit, em, messages, tokens, policy, registration }),
  }
}
