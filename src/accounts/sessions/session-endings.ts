import type { AuditSink, AuditType } from '../../audit/event.ts'
import type { EntityManager, Pool } from '../../database/database.ts'
import { DISTRUST } from '../../entities/known-device.ts'

/** What ends access at the protocol; the authorization server hands it in. */
export interface EndsAccess {
  revokeSession(sessionId: string): Promise<void>
  /** `sessionIds`: those that end by it. */
  revokeAccount(
    accountId: string,
    options: { readonly exceptSessionId?: string; readonly sessionIds: readonly string[] },
  ): Promise<void>
}

export interface EndAll {
  readonly exceptSessionId?: string
  /** The event that ends them, when it is in the audit trail itself. */
  readonly cause?: AuditType
  /**
   * The one that asks for a change which ends it too: it ends once the change is made, so that it
   * can ask again.
   */
  readonly askingSessionId?: string
}

const OTHERS = {
  name: 'session-others',
  text: 'select "id" from "session" where "account_id" = $1 and "id" <> $2',
}
const END_OTHERS = {
  name: 'session-end-others',
  text: 'delete from "session" where "account_id" = $1 and "id" <> $2',
}
const END_ROWS = 'delete from "session" where "account_id" = ? and "id" <> ? returning "id"'
/**
 * What would outlast the end of all sign-ins: codes, the state between two factors, a second factor
 * that waits for its first code, and trust in devices.
 */
const END_PENDING = [
  `delete from "verification_token" where "subject_id" = ? and "purpose" in ('reset_password', 'change_email', 'change_password', 'step_up', 'sign_in', 'recover', 'recover_proven', 'recover_grant')`,
  'delete from "mfa_challenge" where "account_id" = ?',
  'delete from "totp_credential" where "account_id" = ? and "confirmed_at" is null',
  `update "known_device" set ${DISTRUST} where "account_id" = ? and "trusted_until" is not null`,
]

export interface SessionEndingsDeps {
  readonly em: EntityManager
  readonly pool: Pool
  readonly access: EndsAccess
  readonly audit: AuditSink
}

/** The end of every sign-in of an account at once. */
export class SessionEndings {
  readonly #deps: SessionEndingsDeps

  constructor(deps: SessionEndingsDeps) {
    this.#deps = deps
  }

  /**
   * Ends every sign-in of the account with all its grants, tokens and pending codes, but for one
   * session if named (SE-06, PW-10).
   */
  async all(accountId: string, options: EndAll = {}): Promise<void> {
    await this.#again(accountId, options, [])
  }

  async #again(accountId: string, options: EndAll, gone: readonly string[]): Promise<void> {
    const { exceptSessionId, cause } = options
    const sessions = await this.#endSignIns(accountId, options, gone)
    await this.#endPending(this.#deps.em.fork(), accountId)
    if (!cause)
      this.#deps.audit.record({
        type: 'sign_out_all',
        accountId,
        sessionId: exceptSessionId,
        detail: { sessions },
      })
  }

  async #endPending(em: EntityManager, accountId: string): Promise<void> {
    for (const statement of END_PENDING) await em.execute(statement, [accountId])
  }

  /** How many they were. `gone`: those that have no row any more. */
  async #endSignIns(
    accountId: string,
    { exceptSessionId = '' }: EndAll,
    gone: readonly string[],
  ): Promise<number> {
    const values = [accountId, exceptSessionId]
    const { rows } = await this.#deps.pool.query<{ id: string }>({ ...OTHERS, values })
    const ended = {
      sessionIds: [...gone, ...rows.map(({ id }) => id)],
      ...(exceptSessionId ? { exceptSessionId } : {}),
    }
    await this.#deps.access.revokeAccount(accountId, ended)
    await this.#deps.pool.query({ ...END_OTHERS, values })
    return rows.length
  }

  /**
   * Makes a change after which nobody is to be signed in. All sign-ins end before it, so that it is
   * not made while they cannot be ended, and once more after it, for those that came in between
   * (PW-10). Rows go with it: what refuses one of them refuses the change.
   */
  async allWith<T>(
    accountId: string,
    options: EndAll,
    change: (tx: EntityManager) => Promise<T>,
  ): Promise<T> {
    const { exceptSessionId = options.askingSessionId } = options
    await this.#endSignIns(accountId, exceptSessionId ? { exceptSessionId } : {}, [])
    const gone: string[] = []
    const changed = await this.#deps.em.fork().transactional(async (tx) => {
      const done = await change(tx)
      const rows = await tx.execute<{ id: string }[]>(END_ROWS, [
        accountId,
        options.exceptSessionId ?? '',
      ])
      gone.push(...rows.map(({ id }) => id))
      await this.#endPending(tx, accountId)
      return done
    })
    await this.#again(accountId, options, gone)
    return changed
  }
}
