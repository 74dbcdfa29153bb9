import { randomUUID } from 'node:crypto'
import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { AuditSink } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import { LIFETIMES } from '../config/limits.ts'
import type { PasswordHasher } from '../crypto/password.ts'
import type { EntityManager } from '../database.ts'
import { Account, PendingSignUp } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Messages } from '../mail/messages.ts'
import { type Addressee, findAddressee } from './addressee.ts'
import { type CanonicalEmail, canonicalEmail, requireEmail } from './canonical-email.ts'
import type { KeepLinks } from './keep-links.ts'
import type { Issued, OneTimeTokens, Proof } from './one-time-tokens.ts'
import { checkPassword, type PasswordContext } from './password-policy.ts'
import { findForResend, NO_PASSWORD, type Pending } from './pending-sign-ups.ts'
import { personName } from './person-name.ts'

export interface SignUpDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly hasher: PasswordHasher
  readonly tokens: OneTimeTokens
  readonly messages: Messages
  readonly keepLinks: KeepLinks
  readonly logger: Logger
  /** Words that no password may consist of: product and issuer host (PW-05). */
  readonly passwordContext: PasswordContext
}

export interface NewAccount {
  readonly name: string
  readonly email: string
  readonly password: string
  readonly locale?: string
  /** Name of the app that the person came from: the mail says it. */
  readonly app?: string
}

/** Names the started sign-up; looks alike whether or not the address was free (EN-03). */
export interface StartedSignUp {
  readonly userId: string
  readonly tokenId: string
  readonly expiresInSeconds: number
}

interface Sending {
  readonly origin: RequestOrigin
  readonly app?: string | undefined
  readonly existing: Addressee | undefined
}

/** Sign-up: nothing but a pending row exists until the address is proven, so nobody can prepare an account for another's address (EM-11). */
export class SignUp {
  readonly #deps: SignUpDeps

  constructor(deps: SignUpDeps) {
    this.#deps = deps
  }

  /** Throws `invalid_input` or, if the password is all that is wrong, `password_rejected`: with the reasons of every field (UX-11). */
  async start({ name, email: submitted, password, locale, app }: NewAccount, origin: RequestOrigin): Promise<StartedSignUp> {
    const { hasher, passwordContext, audit } = this.#deps
    const [email, cleanName] = [canonicalEmail(submitted), personName(name)]
    const fault = checkPassword(password, { ...passwordContext, email: email ?? '', name: cleanName ?? '' })
    const weak = fault ? { password: fault } : {}
    if (!email || !cleanName) {
      const wrong = {
        ...(cleanName ? {} : { name: 'invalid_name' }),
        ...(email ? {} : { email: 'invalid_email' }),
      }
      throw new AppError('invalid_input', { fields: { ...wrong, ...weak } })
    }
    if (fault) throw new AppError('password_rejected', { fields: weak })
    const passwordHash = await hasher.hash(password)

    const started = await this.#deps.em.fork().transactional(async (em) => {
      const existing = await findAddressee(em, email)
      const pending = em.create(PendingSignUp, {
        id: randomUUID(),
        email,
        name: cleanName,
        locale: locale ?? null,
        passwordHash,
        expiresAt: inSeconds(LIFETIMES.pendingSignUp),
      })
      return this.#sendCode(em, pending, { origin, existing, app })
    })
    audit.record({ type: 'sign_up', accountId: started.userId, origin })
    return started
  }

  /** A new code for the newest sign-up of an address; older codes are void. Answers alike for every address. */
  async resend(submitted: string, origin: RequestOrigin): Promise<StartedSignUp> {
    const email = requireEmail(submitted)
    return this.#deps.em.fork().transactional(async (em) => {
      const newest = await findForResend(em, email)
      const existing = await findAddressee(em, email)
      return newest ? this.#sendCode(em, newest, { origin, existing }) : this.#pretend(em, email, origin)
    })
  }

  /** A new code for one's own sign-up, named by its id. */
  async resendFor(userId: string, origin: RequestOrigin, app?: string): Promise<StartedSignUp> {
    return this.#deps.em.fork().transactional(async (em) => {
      const pending = await em.findOne(PendingSignUp, { id: userId, expiresAt: { $gt: new Date() } })
      if (!pending) return { userId, tokenId: randomUUID(), expiresInSeconds: LIFETIMES.code }
      return this.#sendCode(em, pending, { origin, app, existing: await findAddressee(em, pending.email as CanonicalEmail) })
    })
  }

  /** The code in force for one's own sign-up, without another mail; a new one when there is none. */
  async continueFor(userId: string, origin: RequestOrigin, app?: string): Promise<StartedSignUp> {
    const tokenId = await this.#deps.tokens.current(this.#deps.em.fork(), userId, 'verify_email')
    return tokenId ? { userId, tokenId, expiresInSeconds: LIFETIMES.code } : this.resendFor(userId, origin, app)
  }

  /**
   * Proves the address by the mailed code and creates the account. Throws `invalid_code` for a wrong, spent or foreign code,
   * and when the address was taken in the meantime.
   */
  async verify({ userId, tokenId, email, code }: { userId: string; tokenId: string; email: string; code: string }): Promise<Account> {
    const proof = await this.#deps.tokens.redeemCode({ tokenId, purpose: 'verify_email', code })
    if (proof.subjectId !== userId || proof.address !== canonicalEmail(email)) throw new AppError('invalid_code')
    return this.#create(userId, 'invalid_code')
  }

  /** Whose sign-up a mailed link would prove. Throws `invalid_link`. */
  async peekLink(secret: string): Promise<Proof> {
    return this.#deps.tokens.peekLink({ secret, purpose: 'verify_email' })
  }

  /** By link only in the browser that signed up: elsewhere a click would put a stranger's password in force (EM-11). */
  async verifyByLink(secret: string, userId: string): Promise<Account> {
    return this.#create(userId, 'invalid_link', async (em) => {
      const { subjectId } = await this.#deps.tokens.redeemLink(em, { secret, purpose: 'verify_email' })
      if (subjectId !== userId) throw new AppError('invalid_link')
    })
  }

  /** The unique address decides between two proofs at once. */
  async #create(id: string, refusal: 'invalid_code' | 'invalid_link', prove?: (em: EntityManager) => Promise<void>): Promise<Account> {
    return this.#deps.em.fork().transactional(async (em) => {
      await prove?.(em)
      const pending = await em.findOne(PendingSignUp, { id, expiresAt: { $gt: new Date() } })
      if (!pending || (await em.count(Account, { email: pending.email })) > 0) throw new AppError(refusal)
      const now = new Date()
      const account = em.create(Account, {
        id,
        name: pending.name,
        email: pending.email,
        emailVerifiedAt: now,
        locale: pending.locale ?? null,
        passwordHash: pending.passwordHash === NO_PASSWORD ? null : pending.passwordHash,
        passwordChangedAt: now,
      })
      try {
        await em.flush()
      } catch (cause) {
        if (cause instanceof UniqueConstraintViolationException) throw new AppError(refusal, { cause })
        throw cause
      }
      await em.nativeDelete(PendingSignUp, { email: pending.email })
      await this.#deps.audit.append(em, { type: 'email_verified', accountId: id })
      return account
    })
  }

  /** Whoever has an account already is told so instead; the code is made all the same, and never mailed (EN-01, EN-03). */
  async #sendCode(em: EntityManager, pending: Pending, { origin, app, existing }: Sending): Promise<StartedSignUp> {
    const { tokens, messages, keepLinks } = this.#deps
    const { id, email, name } = pending
    const issue = () => tokens.issue(em, { purpose: 'verify_email', subjectId: id, address: email })
    const locale = existing?.locale ?? pending.locale ?? undefined
    const state = { isRegistered: !!existing, mustResetPassword: existing?.mustResetPassword }
    const closed = () => keepLinks.closedState(em, existing, email)
    const issued = await messages.verifyEmail(em, { to: email, name, locale, origin, client: app, ...state, closed, issued: issue })
    return this.#started(em, id, issued)
  }

  /** For an address that nobody has signed up with. */
  async #pretend(em: EntityManager, email: CanonicalEmail, origin: RequestOrigin): Promise<StartedSignUp> {
    const { tokens, messages } = this.#deps
    const subjectId = tokens.decoySubject(email)
    const issue = () => tokens.issue(em, { purpose: 'verify_email', subjectId, address: email })
    return this.#started(em, subjectId, await messages.verifyEmail(em, { to: email, origin, isDecoy: true, issued: issue }))
  }

  /** Over a mail cap the code in force stays in force. */
  async #started(em: EntityManager, userId: string, issued: Issued | undefined): Promise<StartedSignUp> {
    const tokenId = issued?.tokenId ?? (await this.#deps.tokens.current(em, userId, 'verify_email')) ?? randomUUID()
    return { userId, tokenId, expiresInSeconds: LIFETIMES.code }
  }
}

function inSeconds(seconds: number): Date {
  return new Date(Date.now() + seconds * 1000)
}
