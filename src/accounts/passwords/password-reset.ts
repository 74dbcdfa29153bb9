import { LockMode } from '@mikro-orm/core'
import { type Actor, type AuditSink, OPERATOR } from '../../audit/event.ts'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import { LIFETIMES } from '../../config/limits.ts'
import type { EntityManager } from '../../database/database.ts'
import { Account } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import type { Messages } from '../../mail/messages.ts'
import { canonicalEmail } from '../canonical-email.ts'
import type { Asker, CodesByAddress, StartedCode } from '../codes-by-address.ts'
import type { Attempts } from '../factors/attempts.ts'
import { passwordSubject } from '../factors/counter-subjects.ts'
import type { SignInPolicy } from '../factors/sign-in-policy.ts'
import type { Issued, OneTimeTokens, Proof } from '../one-time-tokens.ts'
import { suspendWays } from '../recovery/suspension.ts'
import type { PasswordFault } from './password-policy.ts'
import type { Passwords } from './passwords.ts'

export interface PasswordResetDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly tokens: OneTimeTokens
  readonly messages: Messages
  readonly passwords: Passwords
  readonly attempts: Attempts
  readonly codes: CodesByAddress
  readonly policy: Pick<SignInPolicy, 'offers'>
}

/**
 * Forgot password: a mailed code or link sets a new password, ends every session and signs nobody
 * in (EM-07, EM-08). Where nobody signs in by a password it refuses with `method_not_offered`.
 */
export class PasswordReset {
  readonly #deps: PasswordResetDeps

  constructor(deps: PasswordResetDeps) {
    this.#deps = deps
  }

  /**
   * Answers alike for every address, known or not; changes nothing by itself. Throws
   * `invalid_input` for what is no address.
   */
  async request(email: string, origin: RequestOrigin, asker?: Asker): Promise<StartedCode> {
    this.#requirePasswords()
    const { audit, codes, messages } = this.#deps
    const { whose, started } = await codes.mail(
      { purpose: 'reset_password', email, origin, asker },
      (tx, mail) => messages.resetPassword(tx, mail),
    )
    audit.record({ ...whose, type: 'password_reset_requested', origin })
    return started
  }

  /**
   * A link by the operator, for the owner: mailed, or handed over. Throws `conflict` for
   * an account that is closed, `unavailable` if its address may get no more mails now.
   */
  async requestFor(
    accountId: string,
    { isMailed, actor = OPERATOR }: { readonly isMailed: boolean; readonly actor?: Actor },
  ): Promise<Pick<Issued, 'linkSecret' | 'expiresAt'>> {
    const { audit, em, messages, tokens } = this.#deps
    return em.fork().transactional(async (tx) => {
      const account = await tx.findOneOrFail(
        Account,
        { id: accountId },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      )
      if (!account.isActive()) throw new AppError('conflict')
      const { email, name, locale, credentialVersion } = account
      const issued = await tokens.issue(tx, {
        purpose: 'reset_password',
        subjectId: accountId,
        address: email,
        credentialVersion,
        lifetimeSeconds: LIFETIMES.operatorsLink,
      })
      const mail = { to: email, name, locale: locale ?? undefined, issued }
      if (isMailed && !(await messages.resetPassword(tx, mail))) throw new AppError('unavailable')
      await audit.append(tx, { type: 'password_reset_requested', accountId, actor })
      return issued
    })
  }

  /** As far as it can be told before the code or link is proven. */
  faultOf(password: string, email: string): PasswordFault | undefined {
    return this.#deps.passwords.faultOf(password, { email })
  }

  async completeByCode(
    {
      tokenId,
      code,
      email: submitted,
      password,
    }: { tokenId: string; code: string; email: string; password: string },
    origin: RequestOrigin,
  ): Promise<void> {
    this.#requirePasswords()
    const email = canonicalEmail(submitted)
    const { passwords, tokens } = this.#deps
    if (email) passwords.check(password, { email })
    const right = await tokens.judge({ tokenId, purpose: 'reset_password', code, address: email })
    await this.#checkPersonal(right.proof.subjectId, password)
    const spend = (tx: EntityManager) => tokens.spend(tx, right)
    await this.#complete(right.proof, await passwords.hash(password), {
      refusal: 'invalid_code',
      spend,
      origin,
    })
  }

  /** Whose link it is, without spending it. Throws `invalid_link`. */
  async peekLink(secret: string): Promise<{ address: string }> {
    return this.#deps.tokens.peekLink({ secret, purpose: 'reset_password' })
  }

  async completeByLink(
    { secret, password }: { secret: string; password: string },
    origin: RequestOrigin,
  ): Promise<void> {
    this.#requirePasswords()
    const { tokens, passwords } = this.#deps
    const link = { secret, purpose: 'reset_password' } as const
    const proof = await tokens.peekLink(link)
    passwords.check(password, { email: proof.address })
    await this.#checkPersonal(proof.subjectId, password)
    const spend = async (tx: EntityManager): Promise<void> =>
      void (await tokens.redeemLink(tx, link))
    await this.#complete(proof, await passwords.hash(password), {
      refusal: 'invalid_link',
      spend,
      origin,
    })
  }

  /** Asked before any address is looked at: it is off for all of them (EN-01). */
  #requirePasswords(): void {
    if (!this.#deps.policy.offers('password')) throw new AppError('method_not_offered')
  }

  /** Against the name too, but only for those who hold code or link: the refusal tells a name (PW-05). */
  async #checkPersonal(accountId: string, password: string): Promise<void> {
    const account = await this.#deps.em.fork().findOne(Account, { id: accountId })
    if (account) this.#deps.passwords.check(password, { email: account.email, name: account.name })
  }

  /** Receiving the mail proves the address; the second factor stays as it is (TF-08). */
  async #complete(
    proof: Proof,
    passwordHash: string,
    {
      refusal,
      spend,
      origin,
    }: {
      refusal: 'invalid_code' | 'invalid_link'
      spend: (tx: EntityManager) => Promise<void>
      origin: RequestOrigin
    },
  ): Promise<void> {
    const { em, passwords, attempts } = this.#deps
    const account = await em.fork().findOne(Account, {
      id: proof.subjectId,
      status: 'active',
      credentialVersion: proof.credentialVersion,
      email: proof.address,
    })
    if (!account) throw new AppError(refusal)
    await passwords.set(account.id, passwordHash, {
      event: 'password_reset',
      also: { mustResetPassword: false, emailVerifiedAt: account.emailVerifiedAt ?? new Date() },
      proof: { credentialVersion: proof.credentialVersion, refusal },
      origin,
      spend: async (tx) => {
        await spend(tx)
        await suspendWays(tx, account.id, 'reset')
        await attempts.clear(tx, passwordSubject(account.email), 'password')
      },
    })
  }
}
