import type { AuditDetail, AuditSink } from '../../../audit/event.ts'
import type { RequestOrigin } from '../../../audit/request-origin.ts'
import type { StatelessChallenges } from '../../../crypto/challenge.ts'
import type { EntityManager, Pool } from '../../../database/database.ts'
import { Account } from '../../../entities/index.ts'
import { AppError } from '../../../errors.ts'
import type { ProvenAccount } from '../../accounts.ts'
import type { KeepLinks } from '../../keep-links.ts'
import type { SecurityEvents } from '../../security-events.ts'
import type { Method } from '../method.ts'
import { PASSKEY } from '../methods/passkey.ts'
import { SECURITY_KEY } from '../methods/security-key.ts'
import { recount } from '../ways.ts'
import { answeredChallenge } from './answered.ts'
import { type AssertionJson, bytesOf, userHandleOf } from './credential.ts'
import { lateReport } from './late-report.ts'
import type { RelyingParty } from './options.ts'
import { findAnswered, type StoredKey, suspendCopied, useAlone, useWithin } from './stored-keys.ts'
import { answersSecondStep } from './suspended.ts'
import { type Authenticator, type Fault, judgeAssertion } from './webauthn.ts'

export interface AssertionsDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly pool: Pool
  readonly challenges: StatelessChallenges
  readonly keepLinks: KeepLinks
  readonly events: SecurityEvents
  readonly rp: RelyingParty
}

export interface Presented {
  readonly credential: AssertionJson
  /** What its challenge was made for. */
  readonly binding: string
  /** Where only the passkeys of one account are asked for. */
  readonly accountId?: string | undefined
  /** Where it may come from besides our own pages. */
  readonly origins?: readonly string[] | undefined
}

/** What was proven, and by which key. */
export interface ProvenByPasskey extends ProvenAccount {
  readonly passkeyId: string
  readonly proofs: readonly [Method]
}

type Reason =
  | Fault
  | 'user_handle'
  | 'other_account'
  | 'account_not_active'
  | 'must_reset_password'
  | 'suspended'
  | 'backup_eligibility'
  | 'counter'

/** One assertion that is judged. */
interface Attempt extends Presented {
  readonly origin: RequestOrigin
  readonly isFirstStep: boolean
}

/** Signatures of passkeys, each over a challenge of ours that it spends. */
export class Assertions {
  readonly #deps: AssertionsDeps

  constructor(deps: AssertionsDeps) {
    this.#deps = deps
  }

  /**
   * As the only step: the passkey must have verified its person. Throws `challenge_expired`,
   * `passkey_unknown` for a credential that nobody has here, and `passkey_refused` for all else.
   */
  async proveFirst(presented: Presented, origin: RequestOrigin): Promise<ProvenByPasskey> {
    const attempt = { ...presented, origin, isFirstStep: true }
    const { key, said } = await this.#judge(attempt)
    if (!(await useAlone(this.#deps.pool, key, said))) return this.#didNotRise(attempt, key)
    return provenBy(key, PASSKEY)
  }

  /** As one more step of an account. `effect` is done with it, or neither is. */
  async proveSecond(
    presented: Presented & { readonly accountId: string },
    origin: RequestOrigin,
    effect: (tx: EntityManager) => Promise<void>,
  ): Promise<ProvenByPasskey> {
    const attempt = { ...presented, origin, isFirstStep: false }
    const { key, said } = await this.#judge(attempt)
    const isUsed = await this.#deps.em.fork().transactional(async (tx) => {
      if (!(await useWithin(tx, key, said))) return false
      if (said.hasVerified && !key.hasVerified) await recount(tx, key.accountId)
      await effect(tx)
      return true
    })
    if (!isUsed) return this.#didNotRise(attempt, key)
    const method = said.hasVerified ? PASSKEY : SECURITY_KEY
    const { accountId, passkeyId } = key
    const detail = { method: method.id, passkey: passkeyId }
    this.#deps.audit.record({ type: 'second_factor', accountId, origin, detail })
    return provenBy(key, method)
  }

  async #judge(attempt: Attempt): Promise<{ key: StoredKey; said: Authenticator }> {
    const { challenges, pool, rp } = this.#deps
    const { credential, binding, isFirstStep } = attempt
    const { clientDataJSON } = credential.response
    const answered = answeredChallenge(challenges, clientDataJSON, 'webauthn.get', binding)
    const { isFirst, key } = await findAnswered(pool, answered, bytesOf(credential.id))
    if (!isFirst) throw new AppError('challenge_expired')
    if (!key) throw this.#unknown(attempt)
    const said = await judgeAssertion(credential, key.publicKey, {
      ceremony: 'webauthn.get',
      rpId: rp.id,
      origins: [...rp.origins, ...(attempt.origins ?? [])],
      clientData: answered.clientData,
      requiresVerification: isFirstStep,
    })
    if (said.fault) throw this.#refused(attempt, key, said.fault)
    const reason = whyNot(attempt, key, said)
    if (reason) {
      const refused = this.#refused(attempt, key, reason)
      throw isFirstStep && reason === 'suspended'
        ? ((await lateReport(this.#deps, key)) ?? refused)
        : refused
    }
    if (key.status !== 'active') {
      await this.#deps.keepLinks.offer(key.accountId, attempt.origin)
      throw this.#refused(attempt, key, 'account_not_active')
    }
    return { key, said }
  }

  /** The copy, or what was copied: neither is used until somebody has looked at it. */
  async #didNotRise(attempt: Attempt, key: StoredKey): Promise<never> {
    const { em, events, audit } = this.#deps
    const { accountId, passkeyId } = key
    const { origin } = attempt
    await em.fork().transactional(async (tx) => {
      if (!(await suspendCopied(tx, key))) return
      const account = await tx.findOneOrFail(Account, { id: accountId })
      await events.notify(tx, account, 'passkey_suspended', origin)
      const detail = { passkey: passkeyId, reason: 'counter' }
      await audit.append(tx, { type: 'passkey_suspended', accountId, origin, detail })
    })
    throw this.#refused(attempt, key, 'counter')
  }

  #unknown(attempt: Attempt): AppError {
    const { credential, accountId } = attempt
    this.#failed(attempt, accountId, { reason: 'unknown' })
    const signal = { rpId: this.#deps.rp.id, credentialId: credential.id }
    return new AppError('passkey_unknown', { extra: { signal } })
  }

  #refused(attempt: Attempt, { accountId, passkeyId }: StoredKey, reason: Reason): AppError {
    this.#failed(attempt, accountId, { passkey: passkeyId, reason })
    return new AppError('passkey_refused')
  }

  #failed(
    { isFirstStep, origin }: Attempt,
    accountId: string | undefined,
    detail: AuditDetail,
  ): void {
    const type = isFirstStep ? 'sign_in' : 'second_factor'
    const factor = PASSKEY.id
    this.#deps.audit.record({
      type,
      outcome: 'failure',
      accountId,
      origin,
      detail: { factor, ...detail },
    })
  }
}

/** What is asked once the signature is known to be the key's. */
function whyNot(
  { credential, accountId, isFirstStep }: Attempt,
  key: StoredKey,
  said: Authenticator,
): Reason | undefined {
  const { userHandle } = credential.response
  // The browser chose the account: only the handle tells that it meant this one (WebAuthn 7.2).
  const isNamed = userHandle ? userHandle === userHandleOf(key.accountId) : accountId !== undefined
  if (!isNamed) return 'user_handle'
  if (accountId !== undefined && accountId !== key.accountId) return 'other_account'
  if (said.isBackupEligible !== key.isBackupEligible) return 'backup_eligibility'
  if (key.mustResetPassword) return 'must_reset_password'
  if (isFirstStep && !key.isWayIn) return 'not_verified'
  const { suspendedFor } = key
  const isTaken = isFirstStep ? suspendedFor === null : answersSecondStep(suspendedFor)
  return isTaken ? undefined : 'suspended'
}

function provenBy({ accountId, credentialVersion, passkeyId }: StoredKey, method: Method) {
  return { accountId, credentialVersion, passkeyId, proofs: [method] as const }
}
