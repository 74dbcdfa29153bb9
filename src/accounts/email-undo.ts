import { LockMode } from '@mikro-orm/core'
import type { AuditSink } from '../audit/event.ts'
import type { EntityManager } from '../database/database.ts'
import { Account, VerificationToken } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { setEmail } from './email-in-force.ts'
import type { OneTimeTokens } from './one-time-tokens.ts'
import type { Sessions } from './sessions/sessions.ts'

export interface EmailUndoDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly tokens: OneTimeTokens
  readonly sessions: Sessions
}

/** The way back that was mailed to the address before. */
export class EmailUndo {
  readonly #deps: EmailUndoDeps

  constructor(deps: EmailUndoDeps) {
    this.#deps = deps
  }

  /** Whose change a link would undo, without doing it. Throws `invalid_link`. */
  async peek(secret: string): Promise<{ address: string }> {
    return this.#deps.tokens.peekLink({ secret, purpose: 'undo_change_email' })
  }

  /**
   * The old address comes back, every session ends, and the password must be reset: the person
   * who changed it may know it.
   */
  async undo(secret: string): Promise<void> {
    const { tokens, sessions, audit } = this.#deps
    const link = { secret, purpose: 'undo_change_email' } as const
    const { subjectId } = await tokens.peekLink(link)
    await sessions.endAllWith(subjectId, { cause: 'email_change_undone' }, async (tx) => {
      const { address, issuedAt } = await tokens.redeemLink(tx, link)
      const account = await tx.findOne(
        Account,
        { id: subjectId },
        { lockMode: LockMode.PESSIMISTIC_WRITE },
      )
      if (!account) throw new AppError('invalid_link')
      account.mustResetPassword = true
      await setEmail(tx, account, address, 'invalid_link')
      // A person who changed the address twice holds links of their own: the way back to where they
      // had brought it ends here.
      await tx.nativeDelete(VerificationToken, {
        subjectId,
        purpose: 'undo_change_email',
        createdAt: { $gt: issuedAt },
      })
      await tx.nativeDelete(VerificationToken, {
        subjectId,
        purpose: 'report_compromise',
        address: { $ne: address },
      })
      await audit.append(tx, { type: 'email_change_undone', accountId: account.id })
    })
  }
}
