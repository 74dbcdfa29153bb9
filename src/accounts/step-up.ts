import type { RequestOrigin } from '../audit/request-origin.ts'
import { LIFETIMES } from '../config/limits.ts'
import type { Pool } from '../database.ts'
import { AppError } from '../errors.ts'
import type { Mfa } from './mfa.ts'
import type { Passwords } from './passwords.ts'
import { isFresh, type Shown } from './session-level.ts'

/** Who calls the account API: a client within a session. */
export interface Caller extends Shown {
  readonly accountId: string
  readonly sessionId: string
  readonly clientId: string
  /** The session was opened at the account API, by this client. */
  readonly isOwnSignIn: boolean
}

export interface StepUpDeps {
  readonly pool: Pool
  readonly passwords: Passwords
  readonly mfa: Mfa
}

const LEVEL = { one: 1, two: 2 } as const

const PROVE = `
insert into "session_proof" ("session_id", "client_id", "level", "proved_at")
select "id", $2, $3, now() from "session" where "id" = $1 for key share
on conflict ("session_id", "client_id") do update set "level" = excluded."level", "proved_at" = excluded."proved_at"`
const IS_PROVEN = `
select from "session_proof"
where "session_id" = $1 and "client_id" = $2 and "level" >= $3 and "proved_at" > now() - ${LIFETIMES.freshAuthentication} * interval '1 second'`

/**
 * The fresh proof that sensitive calls ask for (SE-10). Who merely holds a token has none: a sign-in to an app says nothing about what the app
 * does with it later. It is made at the account API itself, and counts for one client of one session.
 */
export class StepUp {
  readonly #deps: StepUpDeps

  constructor(deps: StepUpDeps) {
    this.#deps = deps
  }

  /** A password that is sent is always checked, and is enough where there is no second factor. Throws `reauthentication_required`. */
  async require(caller: Caller, password?: string): Promise<void> {
    if (password !== undefined) {
      await this.#deps.passwords.prove(caller.accountId, password)
      if (!caller.hasMfa) return
    }
    if (!(caller.isOwnSignIn && isFresh(caller)) && !(await this.#isProven(caller))) throw new AppError('reauthentication_required')
  }

  /** Throws `mfa_required` where a second factor is asked for instead, or `invalid_credentials`. */
  async byPassword(caller: Caller, password: string): Promise<void> {
    if (caller.hasMfa) throw new AppError('mfa_required', { extra: { methods: ['totp', 'recovery'] } })
    await this.#deps.passwords.prove(caller.accountId, password)
    await this.#prove(caller, LEVEL.one)
  }

  /** By a code of the app or a recovery code. Throws `invalid_code`. */
  async byCode(caller: Caller, code: string, origin: RequestOrigin): Promise<void> {
    await this.#deps.mfa.verify(caller.accountId, code, origin)
    await this.#prove(caller, LEVEL.two)
  }

  async #prove({ sessionId, clientId }: Caller, level: number): Promise<void> {
    await this.#deps.pool.query(PROVE, [sessionId, clientId, level])
  }

  async #isProven({ sessionId, clientId, hasMfa }: Caller): Promise<boolean> {
    const { rowCount } = await this.#deps.pool.query(IS_PROVEN, [sessionId, clientId, hasMfa ? LEVEL.two : LEVEL.one])
    return rowCount === 1
  }
}
