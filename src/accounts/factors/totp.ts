import { randomUUID } from 'node:crypto'
import type { AuditRecord, AuditSink } from '../../audit/event.ts'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import { LIFETIMES } from '../../config/limits.ts'
import type { SecretBox } from '../../crypto/secret-box.ts'
import { generateTotpSecret, otpauthUri, verifyTotp } from '../../crypto/totp.ts'
import { databaseNow, inSeconds } from '../../database/clock.ts'
import type { EntityManager } from '../../database/database.ts'
import { Account, TotpCredential } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import { lockedAccount } from '../locked-account.ts'
import type { SecurityEvents } from '../security-events.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { type AddedIn, ensureStillOpens } from '../shown-sign-in.ts'
import { type Attempts, attempt } from './attempts.ts'
import { otpSubject } from './counter-subjects.ts'
import { TOTP } from './methods/totp.ts'
import type { RecoveryCodes } from './recovery-codes.ts'
import type { SecondFactorProofs } from './second-factor-proofs.ts'
import type { SignInPolicy } from './sign-in-policy.ts'
import { recount } from './ways.ts'

export interface TotpDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly box: SecretBox
  readonly attempts: Attempts
  readonly proofs: SecondFactorProofs
  readonly recoveryCodes: RecoveryCodes
  readonly events: SecurityEvents
  readonly sessions: Sessions
  readonly policy: SignInPolicy
  /** The issuer's name in the person's authenticator app. */
  readonly issuerName: string
}

export interface Enrolment {
  readonly id: string
  readonly secret: string
  readonly otpauthUri: string
  readonly expiresInSeconds: number
}

/** Two-step sign-in by TOTP (RFC 6238): enrol -> confirm -> disable. */
export class Totp {
  readonly #deps: TotpDeps

  constructor(deps: TotpDeps) {
    this.#deps = deps
  }

  /**
   * A new secret, inactive until confirmed; an earlier unconfirmed one is void (TF-04). Throws
   * `mfa_already_enabled`, or `method_not_offered` where the operator wants no more of these.
   */
  async enrol(account: { id: string; email: string }): Promise<Enrolment> {
    const { em, box, issuerName, policy } = this.#deps
    if (!policy.offers('totp')) throw new AppError('method_not_offered')
    const id = randomUUID()
    const secret = await generateTotpSecret()
    await em.fork().transactional(async (tx) => {
      const locked = await lockedAccount(tx, account.id)
      if (locked.mfaEnabled) throw new AppError('mfa_already_enabled')
      await tx.nativeDelete(TotpCredential, { account: account.id, confirmedAt: null })
      await tx.insert(TotpCredential, {
        id,
        account: account.id,
        secretBox: box.seal(secret, account.id),
        createdAt: databaseNow(),
        expiresAt: inSeconds(LIFETIMES.mfaEnrolment),
      })
    })
    return {
      id,
      secret,
      otpauthUri: await otpauthUri({ secret, account: account.email, issuer: issuerName }),
      expiresInSeconds: LIFETIMES.mfaEnrolment,
    }
  }

  /** The secret that waits for its confirmation, to show it again; undefined when none does. */
  async pendingEnrolment(account: { id: string; email: string }): Promise<Enrolment | undefined> {
    const { box, issuerName } = this.#deps
    const pending = await this.#findPending(account.id)
    if (!pending?.expiresAt) return undefined
    const secret = box.open(pending.secretBox, account.id).toString('utf8')
    const expiresInSeconds = Math.floor((pending.expiresAt.getTime() - Date.now()) / 1000)
    return {
      id: pending.id,
      secret,
      otpauthUri: await otpauthUri({ secret, account: account.email, issuer: issuerName }),
      expiresInSeconds,
    }
  }

  /**
   * The first valid code turns two-step sign-in on and ends every sign-in that did not show it,
   * with its tokens: all but `sessionId`, the one that it was turned on in. `alongside` is done
   * with it. Returns the recovery codes, which are shown this once. A code for a key that a newer
   * one has replaced costs no try (TF-04). Throws `mfa_setup_replaced`, `invalid_code`.
   */
  async confirm(
    { accountId, enrolmentId, code }: { accountId: string; enrolmentId: string; code: string },
    origin: RequestOrigin,
    {
      sessionId,
      shown,
      alongside,
    }: AddedIn & { readonly alongside?: (tx: EntityManager) => Promise<void> } = {},
  ): Promise<string[]> {
    const { box, attempts, recoveryCodes, events, audit, sessions } = this.#deps
    const pending = await this.#findPending(accountId)
    if (!pending) throw new AppError('invalid_code')
    if (pending.id !== enrolmentId) throw new AppError('mfa_setup_replaced')
    let step: number | undefined
    const tried = { type: 'mfa_enabled', accountId, origin } as const
    const passed = await attempt(
      await attempts.reserve(otpSubject(accountId), 'otp', tried),
      async () => {
        step = await verifyTotp({
          secret: box.open(pending.secretBox, accountId).toString('utf8'),
          code,
          afterStep: 0,
        })
        return step !== undefined
      },
    )
    if (!passed || step === undefined) throw new AppError('invalid_code')
    const lastStep = step
    const turnOn = async (tx: EntityManager): Promise<string[]> => {
      const account = await lockedAccount(tx, accountId)
      if (shown) ensureStillOpens(account, shown)
      if (account.mfaEnabled) throw new AppError('mfa_already_enabled')
      const confirmed = await tx.nativeUpdate(
        TotpCredential,
        { id: pending.id, confirmedAt: null },
        { confirmedAt: databaseNow(), expiresAt: null, lastStep },
      )
      if (confirmed === 0) throw new AppError('mfa_setup_replaced')
      await alongside?.(tx)
      account.mfaEnabled = true
      const codes = await recoveryCodes.replace(tx, accountId)
      await recount(tx, accountId)
      if (sessionId) await sessions.raise(tx, accountId, sessionId, TOTP)
      await events.notify(tx, account, 'mfa_enabled', origin)
      await audit.append(tx, { type: 'mfa_enabled', accountId, sessionId, origin })
      return codes
    }
    const kept = sessionId ? { exceptSessionId: sessionId } : {}
    const ended = { cause: 'mfa_enabled', ...kept } as const
    return sessions.endAllWith(accountId, ended, turnOn)
  }

  #findPending(accountId: string): Promise<TotpCredential | null> {
    return this.#deps.em.fork().findOne(TotpCredential, {
      account: accountId,
      confirmedAt: null,
      expiresAt: { $gt: databaseNow() },
    })
  }

  /**
   * Turns two-step sign-in off; asks for a code of it (TF-05). `alongside` is done with it. Throws
   * `mfa_not_enabled`, `invalid_code`.
   */
  async disable(
    accountId: string,
    code: string,
    origin: RequestOrigin,
    alongside?: (tx: EntityManager) => Promise<void>,
  ): Promise<void> {
    const { em } = this.#deps
    const account = await em.fork().findOneOrFail(Account, { id: accountId })
    if (!account.mfaEnabled) throw new AppError('mfa_not_enabled')
    await this.#deps.proofs.prove({ accountId, code, origin }, async (tx) => {
      await alongside?.(tx)
      await this.remove(tx, accountId, { origin })
    })
  }

  /**
   * Turns two-step sign-in off without a proof, and tells the owner: for those who have judged it
   * themselves.
   */
  async remove(
    tx: EntityManager,
    accountId: string,
    { origin, actor }: Pick<AuditRecord, 'origin' | 'actor'>,
  ): Promise<void> {
    const locked = await lockedAccount(tx, accountId)
    locked.mfaEnabled = false
    await tx.nativeDelete(TotpCredential, { account: accountId })
    await recount(tx, accountId)
    await this.#deps.recoveryCodes.dropUnneeded(tx, accountId)
    await this.#deps.events.notify(tx, locked, 'mfa_disabled', origin)
    await this.#deps.audit.append(tx, { type: 'mfa_disabled', accountId, origin, actor })
  }
}
