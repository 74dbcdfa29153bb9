import { randomUUID } from 'node:crypto'
import { LockMode } from '@mikro-orm/core'
import type { AuditSink } from '../../audit/event.ts'
import { LIFETIMES } from '../../config/limits.ts'
import { randomToken, sha256 } from '../../crypto/token.ts'
import type { EntityManager } from '../../database/database.ts'
import { Account } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import type { RecoveryMails } from '../../mail/recovery-mails.ts'
import { lockedAccount } from '../locked-account.ts'
import type { OneTimeTokens } from '../one-time-tokens.ts'
import type { SecurityEvents } from '../security-events.ts'
import type { Sessions } from '../sessions/sessions.ts'
import {
  BEGIN,
  type Beginning,
  type ByOperator,
  blocked,
  callOff,
  FIND,
  FIND_OPEN,
  findHold,
  type Hold,
  MAKE_ROOM,
  SPEND_OPEN,
} from './hold-rows.ts'

export interface RecoveryHoldsDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly tokens: OneTimeTokens
  readonly mails: RecoveryMails
  readonly events: SecurityEvents
  readonly sessions: Sessions
}

/**
 * A recovery of an account that was protected by two factors waits where its owner sees it. One an
 * account; any sign-in, any session and any of its mails calls it off.
 */
export class RecoveryHolds {
  readonly #deps: RecoveryHoldsDeps

  constructor(deps: RecoveryHoldsDeps) {
    this.#deps = deps
  }

  /**
   * In the caller's transaction, which has locked the account. One that waits already is answered as
   * it is. Throws `too_many_requests` for a day after one was called off.
   */
  async begin(
    tx: EntityManager,
    account: Account,
    { seconds: holdSeconds, origin }: Beginning,
    by?: ByOperator,
  ): Promise<Hold & { readonly linkSecret?: string }> {
    const { audit, mails, tokens } = this.#deps
    const { id: accountId, email: address } = account
    const [id, linkSecret] = [randomUUID(), randomToken()]
    const openSeconds = by ? LIFETIMES.operatorsLink : LIFETIMES.recoveryLink
    await tx.execute(MAKE_ROOM, [accountId, by !== undefined])
    const began = await tx.execute<unknown[]>(BEGIN, [
      id,
      accountId,
      address,
      sha256(linkSecret),
      holdSeconds,
      holdSeconds + openSeconds,
    ])
    const hold = await findHold(tx, FIND, accountId)
    if (!hold) throw await blocked(tx, accountId)
    if (began.length === 0) return hold
    if (holdSeconds > 0) {
      const stop = await tokens.issue(tx, {
        purpose: 'stop_recovery',
        subjectId: accountId,
        address,
        lifetimeSeconds: holdSeconds + openSeconds,
      })
      const isTold = await mails.hold(tx, {
        to: address,
        name: account.name,
        locale: account.locale ?? undefined,
        origin,
        about: id,
        ...hold,
        holdSeconds,
        linkSecret,
        stopSecret: stop.linkSecret,
      })
      if (!isTold) throw new AppError('unavailable')
    }
    const detail = { hours: holdSeconds / 3600, user: by?.user }
    await audit.append(tx, {
      type: 'recovery_started',
      accountId,
      origin,
      actor: by?.actor,
      detail,
    })
    return { ...hold, linkSecret }
  }

  /**
   * By the operator, for a person whose mailbox is lost as well: every sign-in ends. Throws `conflict`
   * for an account that is closed.
   */
  async beginFor(
    accountId: string,
    hours: number,
    by: ByOperator,
  ): Promise<Hold & { readonly linkSecret: string }> {
    const cause = 'recovery_started'
    return this.#deps.sessions.endAllWith(accountId, { cause }, async (tx) => {
      const account = await lockedAccount(tx, accountId)
      if (!account.isActive()) throw new AppError('conflict')
      const { linkSecret, ...hold } = await this.begin(tx, account, { seconds: hours * 3600 }, by)
      if (linkSecret === undefined) throw new AppError('conflict')
      return { ...hold, linkSecret }
    })
  }

  async find(accountId: string): Promise<Hold | undefined> {
    return findHold(this.#deps.em.fork(), FIND, accountId)
  }

  /** Whose link it is. Throws `invalid_link`, also before its time. */
  async peekLink(secret: string): Promise<Hold> {
    const hold = await findHold(this.#deps.em.fork(), FIND_OPEN, sha256(secret))
    if (!hold) throw new AppError('invalid_link')
    return hold
  }

  /** Spends the link, and answers what may be done with it: the account, locked. Throws `invalid_link`. */
  async spendLink(tx: EntityManager, secret: string): Promise<Account> {
    const found = await findHold(tx, FIND_OPEN, sha256(secret))
    const account =
      found &&
      (await tx.findOne(
        Account,
        { id: found.accountId, email: found.address, status: 'active' },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      ))
    if (!account) throw new AppError('invalid_link')
    const spent = await tx.execute<unknown[]>(SPEND_OPEN, [found.id])
    if (spent.length === 0) throw new AppError('invalid_link')
    return account
  }

  /** Whose recovery a mailed link stops; spends nothing. Throws `invalid_link`. */
  async peekStop(secret: string): Promise<{ address: string }> {
    return this.#deps.tokens.peekLink({ secret, purpose: 'stop_recovery' })
  }

  /** Stops it, and answers with the secret of a report: it was somebody. Throws `invalid_link`. */
  async stop(secret: string): Promise<{ reportSecret: string }> {
    const { em, tokens } = this.#deps
    const link = { secret, purpose: 'stop_recovery' } as const
    const { subjectId } = await tokens.peekLink(link)
    return em.fork().transactional(async (tx) => {
      const account = await lockedAccount(tx, subjectId)
      await tokens.redeemLink(tx, link)
      return this.#callOff(tx, account, 'mail')
    })
  }

  /** The same by somebody who is signed in. */
  async stopOwn(accountId: string): Promise<{ reportSecret: string }> {
    return this.#deps.em
      .fork()
      .transactional(async (tx) => this.#callOff(tx, await lockedAccount(tx, accountId), 'session'))
  }

  async #callOff(
    tx: EntityManager,
    account: Account,
    reason: string,
  ): Promise<{ reportSecret: string }> {
    const { audit, events } = this.#deps
    const { linkSecret: reportSecret } = await events.issueReport(tx, account)
    const { id: accountId } = account
    if (await callOff(tx, accountId))
      await audit.append(tx, { type: 'recovery_cancelled', accountId, detail: { reason } })
    return { reportSecret }
  }
}
