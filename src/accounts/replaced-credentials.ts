import { LockMode } from '@mikro-orm/core'
import type { AuditSink, AuditType } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import type { EntityManager } from '../database/database.ts'
import { Account, VerificationToken } from '../entities/index.ts'
import type { TokenPurpose } from '../entities/verification-token.ts'
import { AppError, type ErrorCode } from '../errors.ts'
import type { SecurityNotice } from '../views/views.ts'
import type { Strongest } from './factors/levels.ts'
import { recount } from './factors/ways.ts'
import type { SecurityEvents } from './security-events.ts'
import type { Sessions } from './sessions/sessions.ts'

export interface ReplacedCredentialsDeps {
  readonly audit: AuditSink
  readonly events: SecurityEvents
  readonly sessions: Sessions
}

export interface Replacing {
  readonly event: Extract<AuditType, 'password_changed' | 'password_reset' | 'recovery_completed'>
  readonly exceptSessionId?: string | undefined
  /** What allowed the change, and how it is refused when the credentials have changed since. */
  readonly proof?: { readonly credentialVersion: number; readonly refusal: ErrorCode } | undefined
  /** What the owner is told, and where it comes from. */
  readonly notice?:
    | { readonly kind: SecurityNotice; readonly origin: RequestOrigin | undefined }
    | undefined
}

/** What outlives it: the ways back of the owner. */
const KEPT: readonly TokenPurpose[] = [
  'undo_change_email',
  'report_compromise',
  'recovery_cancelled',
]
/** Who resets a password has a mailbox and no more: a recovery that waits goes on waiting. */
const KEPT_BY_RESET: readonly TokenPurpose[] = [...KEPT, 'recovery_hold', 'stop_recovery']

/**
 * A credential in the place of another: what the old one opened ends, which is every session with
 * its tokens, trusted devices and pending mails (PW-10).
 */
export class ReplacedCredentials {
  readonly #deps: ReplacedCredentialsDeps

  constructor(deps: ReplacedCredentialsDeps) {
    this.#deps = deps
  }

  /**
   * `put` spends what allowed it and stores the new credential; the account is locked. `given`: what
   * comes of it, once it is known how strong the account is by it.
   */
  async replace<T>(
    accountId: string,
    { event, exceptSessionId, proof, notice }: Replacing,
    put: (tx: EntityManager, account: Account) => Promise<void>,
    given: (tx: EntityManager, account: Account, strongest: Strongest) => Promise<T>,
  ): Promise<T> {
    const { sessions, events, audit } = this.#deps
    const unchanged = proof ? { credentialVersion: proof.credentialVersion } : {}
    return sessions.endAllWith(
      accountId,
      { cause: event, ...(exceptSessionId ? { exceptSessionId } : {}) },
      async (tx) => {
        const account = await tx.findOne(
          Account,
          { id: accountId, ...unchanged },
          { lockMode: LockMode.PESSIMISTIC_WRITE },
        )
        if (!account) throw new AppError(proof?.refusal ?? 'not_found')
        await put(tx, account)
        account.credentialVersion += 1
        const strongest = await recount(tx, accountId)
        const kept = event === 'password_reset' ? KEPT_BY_RESET : KEPT
        await tx.nativeDelete(VerificationToken, {
          subjectId: accountId,
          purpose: { $nin: [...kept] },
        })
        if (notice) await events.notify(tx, account, notice.kind, notice.origin)
        await audit.append(tx, {
          type: event,
          accountId,
          sessionId: exceptSessionId,
          origin: notice?.origin,
        })
        return given(tx, account, strongest)
      },
    )
  }
}
