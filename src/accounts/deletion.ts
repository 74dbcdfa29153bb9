import { LockMode } from '@mikro-orm/core'
import { type Actor, type AuditSink, OPERATOR } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import { LIFETIMES } from '../config/limits.ts'
import { databaseNow, inSeconds } from '../database/clock.ts'
import type { EntityManager } from '../database/database.ts'
import { Account } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger/logger.ts'
import type { Messages } from '../mail/messages.ts'
import { erase } from './erasure.ts'
import type { KeepLinks } from './keep-links.ts'
import type { OneTimeTokens } from './one-time-tokens.ts'
import type { Sessions } from './sessions/sessions.ts'

export interface DeletionDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly tokens: OneTimeTokens
  readonly messages: Messages
  readonly sessions: Sessions
  readonly keepLinks: KeepLinks
  readonly logger: Logger
}

/**
 * Deleting an account: ended at once, erased after a grace period in which the mailed link brings
 * it back.
 */
export class Deletion {
  readonly #deps: DeletionDeps

  constructor(deps: DeletionDeps) {
    this.#deps = deps
  }

  /**
   * `sessionId` is the one that asks. Throws `invalid_token` where the account was reported as
   * somebody else's meanwhile.
   */
  async request(
    accountId: string,
    origin: RequestOrigin,
    sessionId?: string,
  ): Promise<{ deletesAt: Date }> {
    return this.#request(accountId, { origin, sessionId })
  }

  /**
   * The same by the operator. Throws `conflict` if the account is closed: the link that brings one
   * back would open a disabled one.
   */
  async requestFor(accountId: string, actor: Actor = OPERATOR): Promise<{ deletesAt: Date }> {
    return this.#request(accountId, { actor })
  }

  async #request(
    accountId: string,
    {
      origin,
      sessionId,
      actor,
    }: {
      readonly origin?: RequestOrigin
      readonly sessionId?: string | undefined
      readonly actor?: Actor
    },
  ): Promise<{ deletesAt: Date }> {
    const { keepLinks, tokens, messages, sessions, audit } = this.#deps
    const deletesAt = new Date(Date.now() + LIFETIMES.deleteGrace * 1000)
    const schedule = async (tx: EntityManager): Promise<void> => {
      const account = await tx.findOne(
        Account,
        { id: accountId, ...(actor ? { status: 'active' } : { mustResetPassword: false }) },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      )
      if (!account) throw new AppError(actor ? 'conflict' : 'invalid_token')
      const deleteAfter = inSeconds(LIFETIMES.deleteGrace)
      const closed = { status: 'deleting', deleteAfter, updatedAt: new Date() } as const
      await tx.nativeUpdate(Account, { id: accountId }, closed)
      // Links of an earlier deletion, which was taken back, are not to take this one back.
      await tokens.voidAll(tx, accountId, 'undo_delete')
      const undo = await keepLinks.issue(tx, { id: accountId, email: account.email, deletesAt })
      await messages.accountDeletion(tx, {
        to: account.email,
        name: account.name,
        locale: account.locale ?? undefined,
        undo,
        deletesAt,
        origin,
      })
      await audit.append(tx, { type: 'deletion_requested', accountId, origin, actor })
    }
    const ended = {
      cause: 'deletion_requested',
      ...(sessionId ? { askingSessionId: sessionId } : {}),
    } as const
    await sessions.endAllWith(accountId, ended, schedule)
    return { deletesAt }
  }

  /** When the account behind a link will be erased. Throws `invalid_link`. */
  async peekUndo(secret: string): Promise<{ deletesAt: Date }> {
    const { subjectId } = await this.#deps.tokens.peekLink({ secret, purpose: 'undo_delete' })
    const account = await this.#deps.em
      .fork()
      .findOne(Account, { id: subjectId, status: 'deleting', mustResetPassword: false })
    if (!account?.deleteAfter) throw new AppError('invalid_link')
    return { deletesAt: account.deleteAfter }
  }

  /**
   * Opens no session. What was reported as somebody else's since is not brought back by what may be
   * somebody else's mailbox.
   */
  async undo(secret: string): Promise<void> {
    await this.#deps.em.fork().transactional(async (tx) => {
      const { subjectId } = await this.#deps.tokens.redeemLink(tx, {
        secret,
        purpose: 'undo_delete',
      })
      if (!(await this.#keep(tx, { id: subjectId, mustResetPassword: false })))
        throw new AppError('invalid_link')
      await this.#deps.audit.append(tx, { type: 'deletion_cancelled', accountId: subjectId })
    })
  }

  /**
   * What an operator does for a person whose mails got lost. False if the account is not about to
   * be deleted.
   */
  async keep(accountId: string, actor: Actor): Promise<boolean> {
    return this.#deps.em.fork().transactional(async (tx) => {
      if (!(await this.#keep(tx, { id: accountId }))) return false
      await this.#deps.audit.append(tx, { type: 'deletion_cancelled', accountId, actor })
      return true
    })
  }

  async #keep(
    tx: EntityManager,
    which: { readonly id: string; readonly mustResetPassword?: boolean },
  ): Promise<boolean> {
    const kept = await tx.nativeUpdate(
      Account,
      { ...which, status: 'deleting' },
      { status: 'active', deleteAfter: null },
    )
    if (kept > 0) await this.#deps.tokens.voidAll(tx, which.id, 'undo_delete')
    return kept > 0
  }

  /**
   * Erases what is due, the oldest first; returns how many accounts. One that fails stops no other
   * and is tried again with the next run.
   */
  async eraseDue(limit = 100): Promise<number> {
    const isDue = { status: 'deleting', deleteAfter: { $lte: databaseNow() } } as const
    const due = await this.#deps.em
      .fork()
      .find(Account, isDue, { limit, fields: ['id'], orderBy: { deleteAfter: 'asc' } })
    let erased = 0
    for (const { id } of due) {
      try {
        if (await erase(this.#deps, id)) erased += 1
      } catch (err) {
        this.#deps.logger.error(
          { event: 'account.erase_failed', accountId: id, err },
          'an account could not be erased; it is tried again',
        )
      }
    }
    return erased
  }

  /**
   * Erases an account without the days in which it could be kept. Throws `conflict` if it was kept in
   * the meantime.
   */
  async eraseNow(accountId: string, actor: Actor = OPERATOR): Promise<void> {
    const { audit, sessions } = this.#deps
    await sessions.endAllWith(accountId, { cause: 'deletion_requested' }, async (tx) => {
      const due = { status: 'deleting', deleteAfter: databaseNow(), updatedAt: new Date() } as const
      await tx.nativeUpdate(Account, { id: accountId }, due)
      await audit.append(tx, { type: 'deletion_requested', accountId, actor })
    })
    if (!(await erase(this.#deps, accountId, actor))) throw new AppError('conflict')
  }
}
