import type { AuditSink } from '../audit/event.ts'
import type { PasswordHasher } from '../crypto/password.ts'
import { databaseNow } from '../database/clock.ts'
import type { EntityManager } from '../database/database.ts'
import { Account, type Invitation, PendingSignUp } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { type CanonicalEmail, canonicalEmail } from './canonical-email.ts'
import { checkNewAccount, type NewAccount } from './new-account.ts'
import type { OneTimeTokens, Proof } from './one-time-tokens.ts'
import { checkPassword, type PasswordContext } from './passwords/password-policy.ts'
import { hashOf, keepPending, NO_PASSWORD } from './pending-sign-ups.ts'
import type { Acceptances } from './registration/acceptances.ts'
import { makeAccount } from './registration/make-account.ts'
import type { Registration } from './registration/registration.ts'
import { UUID } from './uuid.ts'

export interface SignUpProofDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly hasher: PasswordHasher
  readonly tokens: OneTimeTokens
  readonly registration: Registration
  readonly acceptances: Pick<Acceptances, 'require'>
  readonly passwordContext: PasswordContext
}

/** In place of what is kept of the sign-up. */
type Typed = Pick<PendingSignUp, 'passwordHash' | 'termsVersion'>

type Refusal = 'invalid_code' | 'invalid_link' | 'invalid_invitation'

/**
 * The end of a sign-up: the person who proves the address gets an account, with what was typed into their
 * own page and nothing of anybody else's (EM-11).
 */
export class SignUpProof {
  readonly #deps: SignUpProofDeps

  constructor(deps: SignUpProofDeps) {
    this.#deps = deps
  }

  /**
   * By a mailed code. Throws `invalid_code` for a wrong or spent one, and when the address was
   * taken in the meantime.
   */
  async byCode({
    userId,
    tokenId,
    email,
    code,
  }: {
    userId: string
    tokenId: string
    email: string
    code: string
  }): Promise<Account> {
    const { tokens } = this.#deps
    const right = await tokens.judge({
      tokenId,
      purpose: 'verify_email',
      code,
      address: canonicalEmail(email),
      subjectId: userId,
    })
    return this.#create(right.proof, 'invalid_code', (em) => tokens.spend(em, right))
  }

  /** Whose sign-up a mailed link would prove. Throws `invalid_link`. */
  async peekLink(secret: string): Promise<Proof> {
    return this.#deps.tokens.peekLink({ secret, purpose: 'verify_email' })
  }

  /** The sign-up of this browser that a proof of the address would finish. */
  async own(userId: string | undefined, address: string): Promise<string | undefined> {
    if (!userId || !UUID.test(userId)) return undefined
    return (
      await this.#deps.em
        .fork()
        .findOne(PendingSignUp, { id: userId, email: address, expiresAt: { $gt: databaseNow() } })
    )?.id
  }

  /** By a mailed link, in a browser that has signed up itself. */
  async byLink(secret: string, userId: string): Promise<Account> {
    const { address } = await this.peekLink(secret)
    return this.#create({ subjectId: userId, address }, 'invalid_link', (em) =>
      this.#spendLink(em, secret),
    )
  }

  /**
   * By a mailed link elsewhere, with a new password or none: a click must not put a stranger's in
   * force, nor what the stranger accepted. Throws `terms_required`, too.
   */
  async byLinkElsewhere(
    secret: string,
    { password, termsVersion }: Pick<NewAccount, 'password' | 'termsVersion'>,
  ): Promise<Account> {
    const { em, hasher, passwordContext, acceptances } = this.#deps
    const { subjectId, address } = await this.peekLink(secret)
    const pending = await em.fork().findOne(PendingSignUp, { id: subjectId })
    const context = { ...passwordContext, email: address }
    const personal = pending ? { ...context, name: pending.name } : context
    const fault = password === null ? undefined : checkPassword(password, personal)
    if (fault) throw new AppError('password_rejected', { fields: { password: fault } })
    acceptances.require(termsVersion)
    const passwordHash = await hashOf(hasher, password)
    return this.#create(
      { subjectId, address },
      'invalid_link',
      (tx) => this.#spendLink(tx, secret),
      { passwordHash, termsVersion: termsVersion ?? null },
    )
  }

  /** By an invitation that was mailed to the address: who has its link has the mailbox. */
  async byInvitation(
    said: NewAccount,
    { id: invitation, email: invited, isMailed }: Pick<Invitation, 'id' | 'email' | 'isMailed'>,
  ): Promise<Account> {
    const wanted = { ...said, invitation }
    const { hasher, passwordContext, registration, acceptances } = this.#deps
    const { clientId, termsVersion } = wanted
    const checked = checkNewAccount(wanted, passwordContext)
    const { email } = checked
    if (!isMailed || email !== invited) throw new AppError('invalid_invitation')
    await registration.admit({ email, clientId, invitation })
    acceptances.require(termsVersion)
    const passwordHash = await hashOf(hasher, wanted.password)
    return this.#deps.em.fork().transactional(async (em) => {
      const { id } = await keepPending(em, checked, wanted, passwordHash)
      return this.#createIn(em, { subjectId: id, address: email }, 'invalid_invitation')
    })
  }

  async #spendLink(em: EntityManager, secret: string): Promise<void> {
    await this.#deps.tokens.redeemLink(em, { secret, purpose: 'verify_email' })
  }

  /**
   * Proof and account are one change, and all other sign-ups of the address end with it. The unique
   * address decides between two proofs at once. Throws `registration_closed` where fewer are
   * admitted by now.
   */
  async #create(
    { subjectId, address }: Pick<Proof, 'subjectId' | 'address'>,
    refusal: Refusal,
    spend: (em: EntityManager) => Promise<void>,
    typed?: Typed,
  ): Promise<Account> {
    return this.#deps.em.fork().transactional(async (em) => {
      await spend(em)
      return this.#createIn(em, { subjectId, address }, refusal, typed)
    })
  }

  async #createIn(
    em: EntityManager,
    { subjectId: id, address }: Pick<Proof, 'subjectId' | 'address'>,
    refusal: Refusal,
    typed?: Typed,
  ): Promise<Account> {
    const pending = await em.findOne(PendingSignUp, {
      id,
      email: address,
      expiresAt: { $gt: databaseNow() },
    })
    if (!pending || (await em.count(Account, { email: address })) > 0) throw new AppError(refusal)
    const { name, locale, clientId, invitationId } = pending
    const { passwordHash: hash, termsVersion: version } = typed ?? pending
    const admission = await this.#deps.registration.admitTo(em, {
      email: pending.email as CanonicalEmail,
      clientId: clientId ?? undefined,
      invitation: invitationId ?? undefined,
      terms: version == null ? null : { version, locale },
    })
    // Without one nothing has proven the address.
    if (refusal === 'invalid_invitation' && admission.invitation === undefined)
      throw new AppError(refusal)
    const passwordHash = hash === NO_PASSWORD ? null : hash
    const made = { id, name, email: pending.email, locale, passwordHash }
    const account = await makeAccount(em, admission, made, refusal)
    await em.nativeDelete(PendingSignUp, { email: address })
    await this.#deps.registration.noteAccepted(em, admission, id)
    await this.#deps.audit.append(em, { type: 'email_verified', accountId: id })
    return account
  }
}
