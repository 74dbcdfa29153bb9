import { randomUUID } from 'node:crypto'
import type { AuditSink } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import { LIFETIMES } from '../config/limits.ts'
import type { PasswordHasher } from '../crypto/password.ts'
import { databaseNow } from '../database/clock.ts'
import type { EntityManager } from '../database/database.ts'
import { PendingSignUp } from '../entities/index.ts'
import type { Logger } from '../logger/logger.ts'
import type { Messages } from '../mail/messages.ts'
import { type Addressee, findAddressee } from './addressee.ts'
import { type CanonicalEmail, requireEmail } from './canonical-email.ts'
import type { KeepLinks } from './keep-links.ts'
import { checkNewAccount, type NewAccount } from './new-account.ts'
import type { Issue, OneTimeTokens } from './one-time-tokens.ts'
import type { PasswordContext } from './passwords/password-policy.ts'
import { findForResend, hashOf, keepPending, type Pending } from './pending-sign-ups.ts'
import type { Acceptances } from './registration/acceptances.ts'
import type { Registration } from './registration/registration.ts'

export interface SignUpDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly hasher: PasswordHasher
  readonly tokens: OneTimeTokens
  readonly messages: Messages
  readonly keepLinks: KeepLinks
  readonly registration: Registration
  readonly acceptances: Pick<Acceptances, 'require'>
  readonly logger: Logger
  /** Words that no password may consist of: product and issuer host (PW-05). */
  readonly passwordContext: PasswordContext
}

/** Names the started sign-up; looks alike whether or not the address was free (EN-03). */
export interface StartedSignUp {
  readonly userId: string
  readonly tokenId: string
  readonly expiresInSeconds: number
}

/** A sign-up, and the page that waits for its code. */
export interface OwnSignUp extends Pick<NewAccount, 'isSuspected'> {
  readonly userId: string
  readonly tokenId?: string
}

interface Sending extends Pick<NewAccount, 'isSuspected'> {
  readonly origin: RequestOrigin
  readonly app?: string | undefined
  readonly page?: string | undefined
  readonly existing: Addressee | undefined
}

/**
 * Sign-up: nothing but a pending row exists until the address is proven, so nobody can prepare an
 * account for another's address (EM-11).
 */
export class SignUp {
  readonly #deps: SignUpDeps

  constructor(deps: SignUpDeps) {
    this.#deps = deps
  }

  /**
   * Throws `invalid_input` or, if the password is all that is wrong, `password_rejected`: with the
   * reasons of every field (UX-11); `registration_closed` and `terms_required` before it looks for
   * an account.
   */
  async start(wanted: NewAccount, origin: RequestOrigin): Promise<StartedSignUp> {
    const { hasher, passwordContext, audit, registration, acceptances } = this.#deps
    const { password, app, clientId, invitation, termsVersion, isSuspected } = wanted
    const checked = checkNewAccount(wanted, passwordContext)
    const { email } = checked
    await registration.admit({ email, clientId, invitation })
    acceptances.require(termsVersion)
    const passwordHash = await hashOf(hasher, password)

    const started = await this.#deps.em.fork().transactional(async (em) => {
      const existing = await findAddressee(em, email)
      const pending = await keepPending(em, checked, wanted, passwordHash)
      return this.#sendCode(em, pending, { origin, existing, app, isSuspected })
    })
    const detail = { suspected: isSuspected || undefined }
    audit.record({ type: 'sign_up', accountId: started.userId, origin, detail })
    return started
  }

  /** Another code for the sign-up of an address. Answers alike for every address. */
  async resend(submitted: string, origin: RequestOrigin): Promise<StartedSignUp> {
    const email = requireEmail(submitted)
    return this.#deps.em.fork().transactional(async (em) => {
      const newest = await findForResend(em, email)
      const existing = await findAddressee(em, email)
      return newest
        ? this.#sendCode(em, newest, { origin, existing })
        : this.#pretend(em, email, origin)
    })
  }

  /** Another code for one's own sign-up, which waits for it in the same page as before. */
  async resendFor(
    { userId, tokenId, isSuspected }: OwnSignUp,
    origin: RequestOrigin,
    app?: string,
  ): Promise<StartedSignUp> {
    return this.#deps.em.fork().transactional(async (em) => {
      const pending = await em.findOne(PendingSignUp, {
        id: userId,
        expiresAt: { $gt: databaseNow() },
      })
      if (!pending) return { userId, tokenId: randomUUID(), expiresInSeconds: LIFETIMES.code }
      const existing = await findAddressee(em, pending.email as CanonicalEmail)
      return this.#sendCode(em, pending, { origin, app, existing, page: tokenId, isSuspected })
    })
  }

  /**
   * The page that waits for a code of one's own sign-up, without another mail; a new one when there
   * is none.
   */
  async continueFor(userId: string, origin: RequestOrigin, app?: string): Promise<StartedSignUp> {
    const tokenId = await this.#deps.tokens.current(this.#deps.em.fork(), userId, 'verify_email')
    return tokenId
      ? { userId, tokenId, expiresInSeconds: LIFETIMES.code }
      : this.resendFor({ userId }, origin, app)
  }

  /**
   * A person who has an account already is told so instead; the code is made all the same, and never
   * mailed (EN-01, EN-03).
   */
  async #sendCode(
    em: EntityManager,
    pending: Pending,
    { origin, app, existing, page, isSuspected }: Sending,
  ): Promise<StartedSignUp> {
    const { id, email, name } = pending
    const locale = existing?.locale ?? pending.locale ?? undefined
    const state = { isRegistered: !!existing, mustResetPassword: existing?.mustResetPassword }
    const closed = () => this.#deps.keepLinks.closedState(em, existing, email)
    return this.#send(
      em,
      { subjectId: id, page },
      { to: email, name, locale, origin, client: app, isSuspected, ...state, closed },
    )
  }

  /** For an address that nobody has signed up with. */
  async #pretend(
    em: EntityManager,
    email: CanonicalEmail,
    origin: RequestOrigin,
  ): Promise<StartedSignUp> {
    return this.#send(
      em,
      { subjectId: this.#deps.tokens.decoySubject(email) },
      { to: email, origin, isDecoy: true },
    )
  }

  /**
   * Over a mail cap the page waits all the same: other mails to the address have codes that are
   * good in it.
   */
  async #send(
    em: EntityManager,
    whose: Pick<Issue, 'subjectId' | 'page'>,
    mail: Omit<Parameters<Messages['verifyEmail']>[1], 'issued'>,
  ): Promise<StartedSignUp> {
    const { tokens, messages } = this.#deps
    const issue = { ...whose, purpose: 'verify_email', address: mail.to } as const
    const issued = await messages.verifyEmail(em, {
      ...mail,
      issued: () => tokens.issue(em, issue),
    })
    const { tokenId } = issued ?? (await tokens.openPage(em, issue))
    return { userId: whose.subjectId, tokenId, expiresInSeconds: LIFETIMES.code }
  }
}
