import { LockMode } from '@mikro-orm/core'
import type { AuditSink } from '../audit/event.ts'
import type { PasswordHasher } from '../crypto/password.ts'
import type { EntityManager } from '../database.ts'
import { Account, VerificationToken } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { type Attempts, attempt } from './attempts.ts'
import { checkPassword, type PasswordContext } from './password-policy.ts'
import type { Sessions } from './sessions.ts'

export interface PasswordsDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly hasher: PasswordHasher
  readonly attempts: Attempts
  readonly sessions: Sessions
  readonly passwordContext: PasswordContext
}

/** What every way to a new password shares: the policy, the proof of the old one, and what a change ends. */
export class Passwords {
  readonly #deps: PasswordsDeps

  constructor(deps: PasswordsDeps) {
    this.#deps = deps
  }

  /** Throws `password_rejected` with the reason. */
  check(password: string, context: PasswordContext): void {
    const fault = checkPassword(password, { ...this.#deps.passwordContext, ...context })
    if (fault) throw new AppError('password_rejected', { fields: { password: fault } })
  }

  /** Proves the current password of an account, under the same cap as sign-in (RL-01). Throws `invalid_credentials`. */
  async prove(accountId: string, password: string): Promise<Account> {
    const { em, hasher, attempts } = this.#deps
    const account = await em.fork().findOneOrFail(Account, { id: accountId }, { populate: ['passwordHash'] })
    const passed = await attempt(
      await attempts.reserve(`password:${account.email}`, 'password', {
        type: 'sign_in',
        accountId,
        detail: { factor: 'password', reason: 'credentials', isConfirmation: true },
      }),
      async () => (await hasher.verify(account.passwordHash ?? undefined, password)).valid,
    )
    if (!passed) throw new AppError('invalid_credentials')
    return account
  }

  /** Sets the password and ends what the old one opened: other sessions, their tokens, pending mails (PW-10). */
  async replace(
    accountId: string,
    password: string,
    {
      event = 'password_changed',
      exceptSessionId,
      also = {},
    }: {
      event?: 'password_changed' | 'password_reset'
      exceptSessionId?: string
      also?: Partial<Pick<Account, 'mustResetPassword' | 'emailVerifiedAt'>>
    } = {},
  ): Promise<void> {
    const { em, hasher, sessions, audit } = this.#deps
    const passwordHash = await hasher.hash(password)
    await em.fork().transactional(async (tx) => {
      const account = await tx.findOneOrFail(Account, { id: accountId }, { lockMode: LockMode.PESSIMISTIC_WRITE })
      tx.assign(account, { ...also, passwordHash, passwordChangedAt: new Date(), credentialVersion: account.credentialVersion + 1 })
      await tx.nativeDelete(VerificationToken, { subjectId: accountId, purpose: { $nin: ['undo_change_email', 'report_compromise'] } })
      await audit.append(tx, { type: event, accountId, sessionId: exceptSessionId })
    })
    await sessions.endAll(accountId, { cause: event, ...(exceptSessionId ? { exceptSessionId } : {}) })
  }
}
