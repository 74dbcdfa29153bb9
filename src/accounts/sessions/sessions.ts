import type { AuditSink } from '../../audit/event.ts'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import { databaseNow } from '../../database/clock.ts'
import type { EntityManager, Pool } from '../../database/database.ts'
import { Session } from '../../entities/index.ts'
import { amrAddedBy } from '../factors/levels.ts'
import type { Proof } from '../factors/method.ts'
import { findLive, isVouched, type LiveSession, SEEN_RESOLUTION_SECONDS } from './live-sessions.ts'
import {
  type EndAll,
  type EndsAccess,
  SessionEndings,
  type SessionEndingsDeps,
} from './session-endings.ts'
import {
  type NewSession,
  type OpenedSession,
  openingDetail,
  openSession,
} from './session-opening.ts'

const SEEN = {
  name: 'session-seen',
  text: `
update "session" set "last_seen_at" = now(), "expires_at" = now() + $2::float8 * interval '1 second'
where "id" = $1 and ("last_seen_at" < now() - $3::int * interval '1 second' or "expires_at" < now() + ($2::float8 - $3::int) * interval '1 second')`,
}
const END = {
  name: 'session-end',
  text: 'delete from "session" where "id" = $1 returning "account_id"::text as "accountId"',
}
const IS_OWN = {
  name: 'session-is-own',
  text: 'select from "session" where "id" = $1 and "account_id" = $2',
}
const RAISE = `
update "session" set "second_proved_at" = now(), "amr" = case when "amr" @> ?::text[] then "amr" else "amr" || ?::text[] end
where "id" = ? and "account_id" = ?`
/** The sign-ins of an account, through either door: what the person sees and ends. */
export class Sessions {
  readonly #em: EntityManager
  readonly #pool: Pool
  readonly #access: EndsAccess
  readonly #audit: AuditSink
  readonly #endings: SessionEndings

  constructor(deps: SessionEndingsDeps) {
    const { em, pool, access, audit } = deps
    this.#em = em
    this.#pool = pool
    this.#access = access
    this.#audit = audit
    this.#endings = new SessionEndings(deps)
  }

  /**
   * Records a sign-in; over the cap per account the least recently seen ones end (SE-09). Throws
   * `invalid_credentials` if there is no such account, or if it is not any more what was proven of
   * it.
   */
  async open(session: NewSession, origin: RequestOrigin): Promise<OpenedSession> {
    const { id, accountId, clientId } = session
    const { opened, tooMany, hasStoppedRecovery } = await openSession(this.#pool, session, origin)
    this.#audit.record({
      type: 'sign_in',
      accountId,
      clientId,
      sessionId: id,
      origin,
      detail: openingDetail(session),
    })
    if (hasStoppedRecovery)
      this.#audit.record({
        type: 'recovery_cancelled',
        accountId,
        sessionId: id,
        origin,
        detail: { reason: 'sign_in' },
      })
    for (const other of tooMany) await this.endSession(other, 'session_ended', 'cap')
    return opened
  }

  async seen(id: string, expiresAt: Date): Promise<void> {
    const secondsLeft = (expiresAt.getTime() - Date.now()) / 1000
    await this.#pool.query({ ...SEEN, values: [id, secondsLeft, SEEN_RESOLUTION_SECONDS] })
  }

  /**
   * The session if it is live and its account may act: one query on the path of every call. Notes
   * that it was seen.
   */
  findLive(id: string, accountId: string): Promise<LiveSession | undefined> {
    return findLive(this.#pool, id, accountId)
  }

  /** A second factor was made and shown in this session: it counts as one of two from here on. */
  async raise(tx: EntityManager, accountId: string, id: string, proof: Proof): Promise<void> {
    const added = `{${amrAddedBy(proof).join(',')}}`
    await tx.execute(RAISE, [added, added, id, accountId])
  }

  /** The session if it is live. */
  async find(id: string): Promise<Session | undefined> {
    return (
      (await this.#em
        .fork()
        .findOne(
          Session,
          { id, expiresAt: { $gt: databaseNow() } },
          { populate: ['account', 'recoveryOpensMs', 'isTrusted', 'isVouched'] },
        )) ?? undefined
    )
  }

  /** Whether a provider that is trusted brought the two factors of a session, and is trusted still. */
  isVouched(id: string): Promise<boolean> {
    return isVouched(this.#pool, id)
  }

  async list(accountId: string): Promise<Session[]> {
    return this.#em
      .fork()
      .find(
        Session,
        { account: accountId, expiresAt: { $gt: databaseNow() } },
        { orderBy: { lastSeenAt: 'desc' } },
      )
  }

  /**
   * Ends one sign-in and what was issued through it; `sign_out` when the person ended the session
   * that they were in.
   */
  async endSession(
    id: string,
    event: 'session_ended' | 'sign_out' = 'session_ended',
    reason?: string,
  ): Promise<void> {
    await this.#access.revokeSession(id)
    const { rows } = await this.#pool.query<{ accountId: string }>({ ...END, values: [id] })
    for (const { accountId } of rows)
      this.#audit.record({ type: event, accountId, sessionId: id, detail: { reason } })
  }

  /** Ends one sign-in of the account; false if it has none of that id. */
  async endOwn(accountId: string, id: string): Promise<boolean> {
    const owned = await this.#pool.query({ ...IS_OWN, values: [id, accountId] })
    if (!owned.rowCount) return false
    await this.endSession(id)
    return true
  }

  /** See `SessionEndings.all`. */
  endAll(accountId: string, options?: EndAll): Promise<void> {
    return this.#endings.all(accountId, options)
  }

  /** See `SessionEndings.allWith`. */
  endAllWith<T>(
    accountId: string,
    options: EndAll,
    change: (tx: EntityManager) => Promise<T>,
  ): Promise<T> {
    return this.#endings.allWith(accountId, options, change)
  }
}
