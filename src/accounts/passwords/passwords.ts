import type { RequestOrigin } from '../../audit/request-origin.ts'
import type { PasswordHasher } from '../../crypto/password.ts'
import type { EntityManager } from '../../database/database.ts'
import { Account } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import { type Attempts, attempt } from '../factors/attempts.ts'
import { passwordSubject } from '../factors/counter-subjects.ts'
import type { ReplacedCredentials } from '../replaced-credentials.ts'
import { checkPassword, type PasswordContext, type PasswordFault } from './password-policy.ts'

export interface PasswordsDeps {
  readonly em: EntityManager
  readonly hasher: PasswordHasher
  readonly attempts: Attempts
  readonly replaced: ReplacedCredentials
  readonly passwordContext: PasswordContext
}

export interface Replacement {
  /** Default `password_changed`. */
  readonly event?: 'password_changed' | 'password_reset'
  readonly exceptSessionId?: string
  readonly also?: Partial<Pick<Account, 'mustResetPassword' | 'emailVerifiedAt'>>
  /** What allowed the change, and how it is refused when the credentials have changed since. */
  readonly proof?: {
    readonly credentialVersion: number
    readonly refusal: 'invalid_code' | 'invalid_link'
  }
  /** Spends what allowed the change, in its transaction. */
  readonly spend?: ((tx: EntityManager) => Promise<void>) | undefined
  /** Where it comes from; the owner is told. */
  readonly origin?: RequestOrigin
}

/** What every way to a new password shares: the policy, the proof of the old one, and what a change ends. */
export class Passwords {
  readonly #deps: PasswordsDeps

  constructor(deps: PasswordsDeps) {
    this.#deps = deps
  }

  faultOf(password: string, context: PasswordContext): PasswordFault | undefined {
    return checkPassword(password, { ...this.#deps.passwordContext, ...context })
  }

  /** Throws `password_rejected` with the reason. */
  check(password: string, context: PasswordContext): void {
    const fault = this.faultOf(password, context)
    if (fault) throw new AppError('password_rejected', { fields: { password: fault } })
  }

  /**
   * Proves the current password of an account, under the same cap as sign-in (RL-01). Throws
   * `invalid_credentials`.
   */
  async prove(accountId: string, password: string): Promise<Account> {
    const { em, hasher, attempts } = this.#deps
    const account = await em
      .fork()
      .findOneOrFail(Account, { id: accountId }, { populate: ['passwordHash'] })
    const passed = await attempt(
      await attempts.reserve(passwordSubject(account.email), 'password', {
        type: 'sign_in',
        accountId,
        detail: { factor: 'password', reason: 'credentials', isConfirmation: true },
      }),
      async () => (await hasher.verify(account.passwordHash ?? undefined, password)).valid,
    )
    if (!passed) throw new AppError('invalid_credentials')
    return account
  }

  /** To be called before a proof is spent: hashing may be refused when too much of it is asked for. */
  async hash(password: string): Promise<string> {
    return this.#deps.hasher.hash(password)
  }

  async replace(
    accountId: string,
    password: string,
    replacement: Replacement = {},
  ): Promise<Account> {
    return this.set(accountId, await this.hash(password), replacement)
  }

  /**
   * Sets the password, tells the owner, and ends what the old one opened: other sessions, their
   * tokens, pending mails (PW-10).
   */
  async set(
    accountId: string,
    passwordHash: string,
    { event = 'password_changed', exceptSessionId, also = {}, proof, spend, origin }: Replacement,
  ): Promise<Account> {
    const notice = origin && ({ kind: 'password_changed', origin } as const)
    return this.#deps.replaced.replace(
      accountId,
      { event, exceptSessionId, proof, notice },
      async (tx, account) => {
        await spend?.(tx)
        tx.assign(account, { ...also, passwordHash, passwordChangedAt: new Date() })
      },
      async (_tx, account) => account,
    )
  }
}
