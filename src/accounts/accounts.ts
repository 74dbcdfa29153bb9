import { batched } from '../batched.ts'
import type { EntityManager, Pool } from '../database/database.ts'
import { Account } from '../entities/index.ts'

/**
 * An account, and what it was when its factors were proven: a change of credentials since then ends
 * what was proven (PW-10).
 */
export interface ProvenAccount {
  readonly accountId: string
  readonly credentialVersion: number
}

/** The same of a row of `account`, in SQL. `version`: the parameter that holds the credential version. */
export function stillProven(version: string, alias = 'account'): string {
  return `("${alias}"."status" = 'active' and not "${alias}"."must_reset_password" and "${alias}"."credential_version" = ${version})`
}

/**
 * What a mailed link may keep, in SQL: not an account that was reported as somebody else's before
 * it was kept.
 */
export const IS_KEEPABLE = `("status" = 'deleting' and not "must_reset_password" and "delete_after" > now())`

/** By the names of their claims; undefined where the account has none. */
export type Attributes = Readonly<Record<string, string>> | undefined

/** What others may know of an account: no hash, no state that is not theirs. */
export type ActiveAccount = Pick<
  Account,
  | 'id'
  | 'name'
  | 'username'
  | 'email'
  | 'emailVerifiedAt'
  | 'phoneNumber'
  | 'imageUrl'
  | 'locale'
  | 'address'
  | 'strongest'
  | 'updatedAt'
> & { readonly attributes: Attributes }

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * On the path of every token: one prepared statement, no identity map. $1 accounts, $2 the sessions
 * that are asked about.
 */
const FIND_ACTIVE = {
  name: 'account-find-active',
  text: `select "id", "name", "username", "email", extract(epoch from "email_verified_at") * 1000 as "verified", "phone_number", "image_url", "locale",
  "address"::text, "strongest", extract(epoch from "updated_at") * 1000 as "updated",
  (select jsonb_object_agg("a"."name", "a"."value")::text from "account_attribute" as "a" where "a"."account_id" = "account"."id") as "attributes",
  (select string_agg("s"."id", ' ') from "session" as "s" where "s"."id" = any($2::varchar[]) and "s"."account_id" = "account"."id") as "sessions"
  from "account" where "id" = any($1::uuid[]) and "status" = 'active'`,
}

interface Row {
  readonly id: string
  readonly name: string
  readonly username: string
  readonly email: string
  readonly verified: string | null
  readonly phone_number: string | null
  readonly image_url: string | null
  readonly locale: string | null
  readonly address: string | null
  readonly strongest: ActiveAccount['strongest']
  readonly updated: string
  readonly attributes: string | null
  /** Those that were asked about and are there. */
  readonly sessions: string | null
}

interface Wanted {
  readonly id: string
  readonly sessionId: string | undefined
}

/** Accounts by identifier, for those who only need to know them. */
export class Accounts {
  readonly #em: EntityManager
  readonly #active: (wanted: Wanted) => Promise<ActiveAccount | undefined>

  constructor({ em, pool }: { em: EntityManager; pool: Pool }) {
    this.#em = em
    this.#active = batched((wanted) => findAllActive(pool, wanted))
  }

  /**
   * The account if it may act now, in that session if one is named; disabled and deleting accounts
   * are as good as absent (SE-07).
   */
  async findActive(id: string, sessionId?: string): Promise<ActiveAccount | undefined> {
    return UUID.test(id) ? this.#active({ id, sessionId }) : undefined
  }

  /** The whole account, for its owner to see; undefined under the same conditions. */
  async loadActive(id: string): Promise<Account | undefined> {
    return UUID.test(id)
      ? ((await this.#em.fork().findOne(Account, { id, status: 'active' })) ?? undefined)
      : undefined
  }
}

async function findAllActive(
  pool: Pool,
  wanted: readonly Wanted[],
): Promise<(ActiveAccount | undefined)[]> {
  const values = [wanted.map(({ id }) => id), wanted.flatMap(({ sessionId }) => sessionId ?? [])]
  const { rows } = await pool.query<Row>({ ...FIND_ACTIVE, values })
  const found = new Map(rows.map((row) => [row.id, row]))
  return wanted.map(({ id, sessionId }) => {
    const row = found.get(id)
    return row && (sessionId === undefined || row.sessions?.split(' ').includes(sessionId))
      ? activeAccount(row)
      : undefined
  })
}

function activeAccount(row: Row): ActiveAccount {
  return {
    id: row.id,
    name: row.name,
    username: row.username,
    email: row.email,
    emailVerifiedAt: row.verified === null ? null : new Date(Number(row.verified)),
    phoneNumber: row.phone_number,
    imageUrl: row.image_url,
    locale: row.locale,
    address: row.address === null ? null : (JSON.parse(row.address) as ActiveAccount['address']),
    strongest: row.strongest,
    updatedAt: new Date(Number(row.updated)),
    attributes: row.attributes === null ? undefined : (JSON.parse(row.attributes) as Attributes),
  }
}
