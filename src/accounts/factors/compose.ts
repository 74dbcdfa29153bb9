import type { AuditSink } from '../../audit/event.ts'
import type { Config } from '../../config/config.ts'
import { StatelessChallenges } from '../../crypto/challenge.ts'
import type { SecretBox } from '../../crypto/secret-box.ts'
import type { Database } from '../../database/database.ts'
import type { KeepLinks } from '../keep-links.ts'
import type { SecurityEvents } from '../security-events.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Attempts } from './attempts.ts'
import { MfaChallenges } from './challenges.ts'
import { OwnWaysIn } from './own-ways.ts'
import { relyingPartyOf } from './passkeys/options.ts'
import { Passkeys } from './passkeys/passkeys.ts'
import { RecoveryCodes } from './recovery-codes.ts'
import { SecondFactorProofs } from './second-factor-proofs.ts'
import { SecondStep } from './second-step.ts'
import type { SignInPolicy } from './sign-in-policy.ts'
import { Totp } from './totp.ts'

export interface FactorDeps {
  readonly config: Pick<Config, 'issuer' | 'brand' | 'secrets'>
  readonly database: Pick<Database, 'em' | 'pool'>
  readonly box: SecretBox
  readonly audit: AuditSink
  readonly attempts: Attempts
  readonly events: SecurityEvents
  readonly keepLinks: KeepLinks
  readonly policy: SignInPolicy
  readonly sessions: Sessions
}

/** What is shown besides a password. */
export function composeFactors({ config, database, box, ...common }: FactorDeps) {
  const { em, pool } = database
  const challenges = new MfaChallenges({ pool })
  const recoveryCodes = new RecoveryCodes({ em, ...common })
  const proofs = new SecondFactorProofs({ em, box, recoveryCodes, ...common })
  const issuerName = config.brand.name
  const mfa = new Totp({ em, box, proofs, recoveryCodes, issuerName, ...common })
  const passkeys = new Passkeys({
    em,
    pool,
    challenges: new StatelessChallenges(config.secrets.keyEncryptionKeys),
    recoveryCodes,
    rp: relyingPartyOf(config),
    ...common,
  })
  const { keepLinks } = common
  const secondStep = new SecondStep({ em, challenges, passkeys, proofs, keepLinks })
  const ownWays = new OwnWaysIn({ em, policy: common.policy })
  return { challenges, recoveryCodes, mfa, passkeys, secondStep, ownWays }
}
