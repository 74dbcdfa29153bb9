import type { RequestOrigin } from '../audit/request-origin.ts'
import { databaseNow } from '../database/clock.ts'
import type { EntityManager } from '../database/database.ts'
import { Account } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import type { ClosedAccount } from '../mail/closed-account.ts'
import type { Messages } from '../mail/messages.ts'
import type { Addressee } from './addressee.ts'
import type { Issued, OneTimeTokens } from './one-time-tokens.ts'

/**
 * The way back for a person who had the account deleted and has lost the first mail. By mail only;
 * older links stay good.
 */
export class KeepLinks {
  readonly #em: EntityManager
  readonly #tokens: OneTimeTokens
  readonly #messages: Messages

  constructor({
    em,
    tokens,
    messages,
  }: { em: EntityManager; tokens: OneTimeTokens; messages: Messages }) {
    this.#em = em
    this.#tokens = tokens
    this.#messages = messages
  }

  /** In the caller's transaction; good until the account is erased. */
  async issue(
    em: EntityManager,
    { id, email, deletesAt }: { id: string; email: string; deletesAt: Date },
  ): Promise<Issued> {
    const lifetimeSeconds = (deletesAt.getTime() - Date.now()) / 1000
    return this.#tokens.issue(em, {
      purpose: 'undo_delete',
      subjectId: id,
      address: email,
      lifetimeSeconds,
    })
  }

  /** What mails to the address say when its account is closed: how to keep it, or that nobody can sign in. */
  async closedState(
    em: EntityManager,
    addressee: Addressee | undefined,
    email: string,
  ): Promise<ClosedAccount | undefined> {
    if (!addressee || addressee.isActive) return undefined
    if (addressee.deletesAtMs === null) return { isKeepable: false }
    const deletesAt = new Date(addressee.deletesAtMs)
    return {
      isKeepable: true,
      deletesAt,
      keep: await this.issue(em, { id: addressee.id, email, deletesAt }),
    }
  }

  /**
   * For a person who has shown everything that the account asks for at signing in: the link by mail, and
   * the answer of a wrong password.
   */
  async refuse(accountId: string, origin: RequestOrigin): Promise<never> {
    await this.offer(accountId, origin)
    throw new AppError('invalid_credentials')
  }

  /** The link by mail, if the account may still be kept. */
  async offer(accountId: string, origin: RequestOrigin): Promise<void> {
    await this.#em.fork().transactional(async (em) => {
      const account = await em.findOne(Account, {
        id: accountId,
        status: 'deleting',
        mustResetPassword: false,
        deleteAfter: { $gt: databaseNow() },
      })
      if (!account?.deleteAfter) return
      const { id, email, name, locale, deleteAfter: deletesAt } = account
      const keep = () => this.issue(em, { id, email, deletesAt })
      await this.#messages.keepAccount(em, {
        to: email,
        name,
        locale: locale ?? undefined,
        origin,
        deletesAt,
        keep,
      })
    })
  }
}
