import type { Pool } from '../../database/database.ts'

const FIND = {
  name: 'session-provider-find',
  text: 'select "idp" from "session" where "id" = $1 and "account_id" = $2 and "idp_since" <= to_timestamp($3)',
}

/** A sign-in by a provider, as tokens know it. */
export interface SignInOfSession {
  readonly sessionId: string
  readonly accountId: string
  /** In seconds, by the clock that wrote it. */
  readonly authTime: number
}

/** By which provider people came in their sessions. */
export class SessionProviders {
  readonly #pool: Pool

  constructor({ pool }: { readonly pool: Pool }) {
    this.#pool = pool
  }

  /**
   * Undefined once the session is over, and for a sign-in before another provider took the place of
   * its own.
   */
  async find({ sessionId, accountId, authTime }: SignInOfSession): Promise<string | undefined> {
    const values = [sessionId, accountId, authTime]
    const { rows } = await this.#pool.query<{ idp: string }>({ ...FIND, values })
    return rows[0]?.idp
  }
}
