import { LockMode } from '@mikro-orm/core'
import type { AuditRecord, AuditSink } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import { LIFETIMES } from '../config/limits.ts'
import type { SecretBox } from '../crypto/secret-box.ts'
import { generateTotpSecret, otpauthUri, verifyTotp } from '../crypto/totp.ts'
import type { EntityManager, Pool } from '../database.ts'
import { Account, RecoveryCode, TotpCredential } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { type Attempts, attempt } from './attempts.ts'
import { canonicalEmail } from './canonical-email.ts'
import type { KeepLinks } from './keep-links.ts'
import type { MfaChallenges } from './mfa-challenges.ts'
import type { RecoveryCodes } from './recovery-codes.ts'
import type { SecurityEvents } from './security-events.ts'
import type { Sessions } from './sessions.ts'

export interface MfaDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly pool: Pool
  readonly box: SecretBox
  readonly attempts: Attempts
  readonly challenges: MfaChallenges
  readonly recoveryCodes: RecoveryCodes
  readonly events: SecurityEvents
  readonly sessions: Sessions
  readonly keepLinks: KeepLinks
  /** The issuer's name in the person's authenticator app. */
  readonly issuerName: string
}

export interface Enrolment {
  readonly secret: string
  readonly otpauthUri: string
  readonly expiresInSeconds: number
}

/** How a second factor was proven: as in `amr` (RFC 8176). A recovery code proves no second factor of its own (TF-10). */
export interface SecondFactor {
  readonly accountId: string
  readonly amr: readonly string[]
  /** Of the account when its factors were proven. */
  readonly credentialVersion: number
}

const AMR = { totp: ['pwd', 'otp', 'mfa'], recovery: ['pwd'] } as const

/** One time step is accepted once per account, whichever instance is asked (TF-03). */
const ACCEPT_STEP =
  'update "totp_credential" set "last_step" = $2 where "account_id" = $1 and "confirmed_at" is not null and "last_step" < $2'

/** Two-step sign-in by TOTP (RFC 6238) and recovery codes: enrol -> confirm -> verify -> disable. */
export class Mfa {
  readonly #deps: MfaDeps

  constructor(deps: MfaDeps) {
    this.#deps = deps
  }

  /** A new secret, inactive until confirmed; an earlier unconfirmed one is void (TF-04). Throws `mfa_already_enabled`. */
  async enrol(account: { id: string; email: string }): Promise<Enrolment> {
    const { em, box, issuerName } = this.#deps
    const secret = await generateTotpSecret()
    await em.fork().transactional(async (tx) => {
      const locked = await tx.findOneOrFail(Account, { id: account.id }, { lockMode: LockMode.PESSIMISTIC_WRITE })
      if (locked.mfaEnabled) throw new AppError('mfa_already_enabled')
      await tx.nativeDelete(TotpCredential, { account: account.id, confirmedAt: null })
      tx.create(TotpCredential, {
        account: account.id,
        secretBox: box.seal(secret, account.id),
        expiresAt: new Date(Date.now() + LIFETIMES.mfaEnrolment * 1000),
      })
    })
    return {
      secret,
      otpauthUri: await otpauthUri({ secret, account: account.email, issuer: issuerName }),
      expiresInSeconds: LIFETIMES.mfaEnrolment,
    }
  }

  /** The secret that waits for its confirmation, to show it again; undefined when none does. */
  async pendingEnrolment(account: { id: string; email: string }): Promise<Enrolment | undefined> {
    const { em, box, issuerName } = this.#deps
    const pending = await em.fork().findOne(TotpCredential, { account: account.id, confirmedAt: null, expiresAt: { $gt: new Date() } })
    if (!pending?.expiresAt) return undefined
    const secret = box.open(pending.secretBox, account.id).toString('utf8')
    const expiresInSeconds = Math.floor((pending.expiresAt.getTime() - Date.now()) / 1000)
    return { secret, otpauthUri: await otpauthUri({ secret, account: account.email, issuer: issuerName }), expiresInSeconds }
  }

  /**
   * The first valid code turns two-step sign-in on and ends every sign-in that did not show it, with its tokens: all but `sessionId`, the one
   * that it was turned on in. Returns the recovery codes, which are shown this once. Throws `invalid_code`.
   */
  async confirm(accountId: string, code: string, origin: RequestOrigin, sessionId?: string): Promise<string[]> {
    const { em, box, attempts, recoveryCodes, events, audit, sessions } = this.#deps
    const pending = await em.fork().findOne(TotpCredential, { account: accountId, confirmedAt: null, expiresAt: { $gt: new Date() } })
    if (!pending) throw new AppError('invalid_code')
    let step: number | undefined
    const passed = await attempt(
      await attempts.reserve(`otp:${accountId}`, 'otp', { type: 'mfa_enabled', accountId, origin }),
      async () => {
        step = await verifyTotp({ secret: box.open(pending.secretBox, accountId).toString('utf8'), code, afterStep: 0 })
        return step !== undefined
      },
    )
    if (!passed || step === undefined) throw new AppError('invalid_code')
    const lastStep = step
    const turnOn = async (tx: EntityManager): Promise<string[]> => {
      const account = await tx.findOneOrFail(Account, { id: accountId }, { lockMode: LockMode.PESSIMISTIC_WRITE })
      if (account.mfaEnabled) throw new AppError('mfa_already_enabled')
      const confirmed = await tx.nativeUpdate(
        TotpCredential,
        { id: pending.id, confirmedAt: null },
        { confirmedAt: new Date(), expiresAt: null, lastStep },
      )
      if (confirmed === 0) throw new AppError('invalid_code')
      account.mfaEnabled = true
      const codes = recoveryCodes.replace(tx, accountId)
      if (sessionId) await sessions.raise(tx, accountId, sessionId)
      await events.notify(tx, account, 'mfa_enabled', origin)
      await audit.append(tx, { type: 'mfa_enabled', accountId, sessionId, origin })
      return codes
    }
    const ended = { cause: 'mfa_enabled', ...(sessionId ? { exceptSessionId: sessionId } : {}) } as const
    return sessions.endAllWith(accountId, ended, () => em.fork().transactional(turnOn))
  }

  /** Answers a challenge with a one-time or a recovery code; each is good once. `email`, if given, must be the account's. Throws `invalid_code`, `too_many_requests`, or `invalid_credentials` for an account that is closed. */
  async verifyChallenge(
    { challenge, binding, code, email }: { challenge: string; binding: string; code: string; email?: string | undefined },
    origin: RequestOrigin,
  ): Promise<SecondFactor> {
    const { em, challenges } = this.#deps
    const accountId = await challenges.tryOnce(challenge, binding)
    const account = await em.fork().findOneOrFail(Account, { id: accountId })
    if (email !== undefined && canonicalEmail(email) !== account.email) throw new AppError('invalid_code')
    const method = await this.verify(accountId, code, origin)
    if (!(await challenges.spend(challenge))) throw new AppError('invalid_code')
    if (!account.isActive()) return this.#deps.keepLinks.refuse(accountId, origin)
    return { accountId, amr: AMR[method], credentialVersion: account.credentialVersion }
  }

  /** Checks and spends one code of the account, TOTP or recovery. Throws `invalid_code` or `too_many_requests` (RL-06). */
  async verify(accountId: string, code: string, origin: RequestOrigin): Promise<'totp' | 'recovery'> {
    const { attempts, audit } = this.#deps
    const reservation = await attempts.reserve(`otp:${accountId}`, 'otp', { type: 'second_factor', accountId, origin })
    let method: 'totp' | 'recovery' | undefined
    const passed = await attempt(reservation, async () => {
      if (await this.#acceptTotp(accountId, code)) method = 'totp'
      else if (await this.#deps.recoveryCodes.spend(accountId, code)) method = 'recovery'
      return method !== undefined
    })
    if (!passed || !method) throw new AppError('invalid_code')
    if (method === 'recovery') await this.#tellOfRecovery(accountId, origin)
    else audit.record({ type: 'second_factor', accountId, origin, detail: { method } })
    return method
  }

  /** Turns two-step sign-in off; asks for a code of it (TF-05). Throws `mfa_not_enabled`, `invalid_code`. */
  async disable(accountId: string, code: string, origin: RequestOrigin): Promise<void> {
    const { em } = this.#deps
    const account = await em.fork().findOneOrFail(Account, { id: accountId })
    if (!account.mfaEnabled) throw new AppError('mfa_not_enabled')
    await this.verify(accountId, code, origin)
    await this.remove(accountId, { origin })
  }

  /** Turns two-step sign-in off without a proof, and tells the owner: for those who have judged it themselves. */
  async remove(accountId: string, { origin, detail }: Pick<AuditRecord, 'origin' | 'detail'>): Promise<void> {
    await this.#deps.em.fork().transactional(async (tx) => {
      const locked = await tx.findOneOrFail(Account, { id: accountId }, { lockMode: LockMode.PESSIMISTIC_WRITE })
      locked.mfaEnabled = false
      await tx.nativeDelete(TotpCredential, { account: accountId })
      await tx.nativeDelete(RecoveryCode, { account: accountId })
      await this.#deps.events.notify(tx, locked, 'mfa_disabled', origin)
      await this.#deps.audit.append(tx, { type: 'mfa_disabled', accountId, origin, detail })
    })
  }

  async #acceptTotp(accountId: string, code: string): Promise<boolean> {
    const { em, pool, box } = this.#deps
    const credential = await em.fork().findOne(TotpCredential, { account: accountId, confirmedAt: { $ne: null } })
    if (!credential) return false
    const secret = box.open(credential.secretBox, accountId).toString('utf8')
    const step = await verifyTotp({ secret, code, afterStep: credential.lastStep })
    if (step === undefined) return false
    return (await pool.query(ACCEPT_STEP, [accountId, step])).rowCount === 1
  }

  async #tellOfRecovery(accountId: string, origin: RequestOrigin): Promise<void> {
    await this.#deps.em.fork().transactional(async (tx) => {
      await this.#deps.events.notify(tx, await tx.findOneOrFail(Account, { id: accountId }), 'recovery_code_used', origin)
      await this.#deps.audit.append(tx, { type: 'recovery_code_used', accountId, origin })
    })
  }
}
