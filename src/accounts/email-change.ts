import { LockMode } from '@mikro-orm/core'
import type { AuditSink } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import { LIFETIMES } from '../config/limits.ts'
import type { EntityManager } from '../database/database.ts'
import { Account } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import type { Messages } from '../mail/messages.ts'
import { type CanonicalEmail, canonicalEmail, requireEmail } from './canonical-email.ts'
import { setEmail } from './email-in-force.ts'
import type { Issue, OneTimeTokens, Proof } from './one-time-tokens.ts'
import type { Registration } from './registration/registration.ts'

export interface EmailChangeDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly tokens: OneTimeTokens
  readonly messages: Messages
  readonly registration: Pick<Registration, 'allowsChange'>
}

/** Another address: proven by a code first, told to the old one with a way back of 72 hours (EM-10). */
export class EmailChange {
  readonly #deps: EmailChangeDeps

  constructor(deps: EmailChangeDeps) {
    this.#deps = deps
  }

  /**
   * Mails a code to the new address. A taken address gets none; answer, stored token and time are
   * the same. Throws `invalid_input`, also for one that may not register.
   */
  async start(
    accountId: string,
    submitted: string,
    origin: RequestOrigin,
    page?: string,
  ): Promise<{ tokenId: string; email: string; expiresInSeconds: number }> {
    const { audit, em, tokens, messages } = this.#deps
    const email = requireEmail(submitted)
    const started = await em.fork().transactional(async (tx) => {
      const account = await tx.findOneOrFail(Account, { id: accountId })
      this.#requireAllowed(account, email)
      const isTaken = (await tx.count(Account, { email })) > 0
      const { credentialVersion } = account
      const issue: Issue = {
        purpose: 'change_email',
        subjectId: accountId,
        address: email,
        credentialVersion,
        page,
      }
      const issued = await messages.changeEmail(tx, {
        to: email,
        name: account.name,
        locale: account.locale ?? undefined,
        origin,
        isDecoy: isTaken,
        issued: () => tokens.issue(tx, issue),
      })
      const { tokenId } = issued ?? (await tokens.openPage(tx, issue))
      return { tokenId, email, expiresInSeconds: LIFETIMES.code }
    })
    audit.record({ type: 'email_change_requested', accountId, origin })
    return started
  }

  /** Throws `invalid_code`, also when somebody else took the address in the meantime. */
  async complete(
    {
      accountId,
      tokenId,
      email,
      code,
    }: { accountId: string; tokenId: string; email: string; code: string },
    origin: RequestOrigin,
  ): Promise<Account> {
    const { em, tokens } = this.#deps
    const typed = {
      tokenId,
      purpose: 'change_email',
      code,
      address: canonicalEmail(email),
      subjectId: accountId,
    } as const
    const right = await tokens.judge(typed)
    return em.fork().transactional((tx) =>
      this.#apply(tx, right.proof, {
        refusal: 'invalid_code',
        spend: () => tokens.spend(tx, right),
        origin,
      }),
    )
  }

  /** Which address a mailed link would prove. Throws `invalid_link`. */
  async peekLink(secret: string): Promise<{ address: string }> {
    return this.#deps.tokens.peekLink({ secret, purpose: 'change_email' })
  }

  async completeByLink(secret: string, origin: RequestOrigin): Promise<void> {
    const { em, tokens } = this.#deps
    const link = { secret, purpose: 'change_email' } as const
    const proof = await tokens.peekLink(link)
    await em.fork().transactional((tx) =>
      this.#apply(tx, proof, {
        refusal: 'invalid_link',
        spend: () => tokens.redeemLink(tx, link),
        origin,
      }),
    )
  }

  /**
   * The account is held before the proof is spent, as by every change of credentials: two of them
   * wait for each other in one order.
   */
  async #apply(
    tx: EntityManager,
    proof: Proof,
    {
      refusal,
      spend,
      origin,
    }: {
      refusal: 'invalid_code' | 'invalid_link'
      spend: () => Promise<unknown>
      origin: RequestOrigin
    },
  ): Promise<Account> {
    const { tokens, messages, audit } = this.#deps
    const account = await tx.findOne(
      Account,
      { id: proof.subjectId, credentialVersion: proof.credentialVersion },
      { lockMode: LockMode.PESSIMISTIC_WRITE },
    )
    if (!account) throw new AppError(refusal)
    this.#requireAllowed(account, proof.address as CanonicalEmail)
    await spend()
    const { id: subjectId, email: address, name, locale } = account
    const undo = await tokens.issue(tx, {
      purpose: 'undo_change_email',
      subjectId,
      address,
      lifetimeSeconds: LIFETIMES.changeEmailUndo,
    })
    await messages.changeEmailNotice(tx, {
      to: address,
      name,
      locale: locale ?? undefined,
      newEmail: proof.address,
      undo,
      origin,
    })
    await setEmail(tx, account, proof.address, refusal)
    await audit.append(tx, { type: 'email_changed', accountId: account.id, origin })
    return account
  }

  /** Before any look at who has the address. */
  #requireAllowed(account: Account, email: CanonicalEmail): void {
    if (!this.#deps.registration.allowsChange(account, email))
      throw new AppError('invalid_input', { fields: { email: 'not_admitted' } })
  }
}
