import type { Sessions } from '../accounts/sessions/sessions.ts'
import type { AuditSink } from '../audit/event.ts'
import { LIFETIMES } from '../config/limits.ts'
import { sha256 } from '../crypto/token.ts'
import type { Pool } from '../database/database.ts'
import type { LogoutClaims } from './logout-token.ts'
import type { LiveProvider, Providers } from './providers.ts'
import { UpstreamRefusal } from './refusal.ts'
import type { RelyingParty } from './relying-party.ts'

const IS_SPENT = {
  name: 'upstream-logout-spent',
  text: 'select from "spent_challenge" where "digest" = $1',
}
const SPEND = {
  name: 'upstream-logout-spend',
  text: `insert into "spent_challenge" ("digest", "expires_at") values ($1, now() + $2 * interval '1 second') on conflict do nothing`,
}
const BY_SID = {
  name: 'upstream-sessions-by-sid',
  text: 'select "id" from "session" where "provider_id" = $1 and "upstream_sid" = $2',
}
const BY_SUBJECT = {
  name: 'upstream-sessions-by-subject',
  text: `
select s."id" from "identity" i join "session" s on s."account_id" = i."account_id" and s."provider_id" = i."provider_id"
where i."provider_id" = $1 and i."issuer" = $2 and i."subject" = $3`,
}

export interface UpstreamLogoutDeps {
  readonly pool: Pool
  readonly providers: Pick<Providers, 'find'>
  readonly relyingParty: Pick<RelyingParty, 'logout'>
  readonly sessions: Pick<Sessions, 'endSession'>
  readonly audit: AuditSink
}

/** A provider tells that somebody has signed out there: what was signed in by it ends here, too. */
export class UpstreamLogout {
  readonly #deps: UpstreamLogoutDeps

  constructor(deps: UpstreamLogoutDeps) {
    this.#deps = deps
  }

  /** Throws `UpstreamRefusal` for what is no token of this provider for this server, or an old one. */
  async end(providerId: string, token: string): Promise<void> {
    const provider = await this.#deps.providers.find(providerId)
    try {
      if (!provider) throw new UpstreamRefusal('logout_token')
      const claims = await this.#deps.relyingParty.logout(provider, token)
      const ended = await this.#once(provider, claims, () => this.#endSessions(provider, claims))
      this.#deps.audit.record({
        type: 'upstream_logout',
        detail: { provider: provider.id, sessions: ended },
      })
    } catch (error) {
      if (error instanceof UpstreamRefusal)
        this.#deps.audit.record({
          type: 'upstream_logout',
          outcome: 'failure',
          detail: { provider: provider?.id, reason: error.reason },
        })
      throw error
    }
  }

  /**
   * A token that was heard ends nothing that comes later. It is spent once its sessions have ended:
   * the provider may send it again if they could not.
   */
  async #once<T>({ id }: LiveProvider, { jti }: LogoutClaims, work: () => Promise<T>): Promise<T> {
    const digest = sha256(`upstream logout ${id} ${jti}`)
    const { pool } = this.#deps
    const { rowCount } = await pool.query({ ...IS_SPENT, values: [digest] })
    if (rowCount) throw new UpstreamRefusal('logout_token')
    const done = await work()
    await pool.query({ ...SPEND, values: [digest, LIFETIMES.upstreamLogout] })
    return done
  }

  /** By the provider's name for the session; if it names none that is here, all of the person's. */
  async #endSessions({ id }: LiveProvider, { iss, sid, sub }: LogoutClaims): Promise<number> {
    const named = sid === undefined ? [] : await this.#found(BY_SID, [id, sid])
    const all =
      named.length > 0 || sub === undefined ? named : await this.#found(BY_SUBJECT, [id, iss, sub])
    const { sessions } = this.#deps
    for (const session of all) await sessions.endSession(session, 'session_ended', 'upstream')
    return all.length
  }

  async #found(query: typeof BY_SID, values: readonly string[]): Promise<string[]> {
    const { rows } = await this.#deps.pool.query<{ id: string }>({ ...query, values: [...values] })
    return rows.map(({ id }) => id)
  }
}
