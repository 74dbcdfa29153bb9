import type { AuditSink } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import type { EntityManager } from '../database/database.ts'
import { Account, RecoveryCode } from '../entities/index.ts'
import type { Messages } from '../mail/messages.ts'
import type { SecurityNotice } from '../views/views.ts'
import type { Issued, OneTimeTokens } from './one-time-tokens.ts'
import { callOff } from './recovery/hold-rows.ts'
import { suspendWays } from './recovery/suspension.ts'
import type { Sessions } from './sessions/sessions.ts'

const REPORT_LIFETIME_SECONDS = 7 * 86_400

export interface SecurityEventsDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly tokens: OneTimeTokens
  readonly messages: Messages
  readonly sessions: Sessions
}

/** Tells the owner what happened to the account, and takes "this wasn't me" for an answer (UX-29, TF-12). */
export class SecurityEvents {
  readonly #deps: SecurityEventsDeps

  constructor(deps: SecurityEventsDeps) {
    this.#deps = deps
  }

  /**
   * Queues the notice in the caller's transaction; the mail goes to `to`, or to the account's own
   * address.
   */
  async notify(
    em: EntityManager,
    account: Account,
    kind: SecurityNotice,
    origin: RequestOrigin | undefined,
    to = account.email,
  ): Promise<void> {
    const report = await this.issueReport(em, account, to)
    await this.#deps.messages.securityNotice(em, {
      to,
      name: account.name,
      locale: account.locale ?? undefined,
      kind,
      at: new Date(),
      report,
      origin,
    })
  }

  /** What "this wasn't me" is behind. */
  async issueReport(
    em: EntityManager,
    account: Account,
    to = account.email,
    lifetimeSeconds = REPORT_LIFETIME_SECONDS,
  ): Promise<Issued> {
    return this.#deps.tokens.issue(em, {
      purpose: 'report_compromise',
      subjectId: account.id,
      address: to,
      lifetimeSeconds,
    })
  }

  /** Throws `invalid_link` unless the link is good; spends nothing. */
  async peekReport(secret: string): Promise<void> {
    await this.#deps.tokens.peekLink({ secret, purpose: 'report_compromise' })
  }

  /**
   * The owner says it was somebody else: every session ends, a recovery that waits is called off,
   * recovery codes are void, and nobody signs in until the password is reset or a recovery is
   * finished.
   */
  async report(secret: string): Promise<{ accountId: string; address: string }> {
    const { tokens, sessions, audit } = this.#deps
    const link = { secret, purpose: 'report_compromise' } as const
    const { subjectId, address } = await tokens.peekLink(link)
    await sessions.endAllWith(subjectId, { cause: 'compromise_reported' }, async (tx) => {
      await tokens.redeemLink(tx, link)
      await tx.nativeUpdate(Account, { id: subjectId }, { mustResetPassword: true })
      await tx.nativeDelete(RecoveryCode, { account: subjectId })
      await suspendWays(tx, subjectId, 'report')
      await callOff(tx, subjectId)
      await audit.append(tx, { type: 'compromise_reported', accountId: subjectId })
    })
    return { accountId: subjectId, address }
  }
}
