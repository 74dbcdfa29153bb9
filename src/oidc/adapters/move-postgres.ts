import { inTransaction, type Pool } from '../../database/database.ts'

/** A row of `oidc_artifact` that is live. */
export interface Row {
  readonly model: string
  readonly digest: Buffer
  readonly payload: string
  readonly grantId: string | null
  readonly accountId: string | null
  readonly clientId: string | null
  readonly sessionUid: string | null
  readonly lookup: Buffer | null
  /** Milliseconds since the epoch. */
  readonly consumedAt: number | null
  /** Milliseconds to live, `null` for ever. */
  readonly ttl: number | null
}

/**
 * Replay records and uses that are remembered for Redis (`$used`) stay in PostgreSQL whatever the
 * storage; the trace of an ended session is nothing to move. Nor is what ends within a second.
 */
const AFTER = `
select "model", "id_digest" as "digest", "payload"::text as "payload", "grant_id" as "grantId", "account_id" as "accountId",
  "client_id" as "clientId", "session_uid" as "sessionUid", "lookup_digest" as "lookup",
  extract(epoch from "consumed_at")::float8 * 1000 as "consumedAt", extract(epoch from "expires_at" - now())::float8 * 1000 as "ttl"
from "oidc_artifact"
where ("model", "id_digest") > ($1::varchar, $2::bytea) and ("expires_at" is null or "expires_at" > now() + interval '1 second')
  and "model" <> 'ReplayDetection' and not "payload" ? '$used' and ("model" <> 'Session' or "consumed_at" is null)
order by "model", "id_digest" limit $3`

/** In the order of the parameters of `INSERT`; `COMPLETE` takes the first eight. */
const COLUMNS = [
  ...(['model', 'digest', 'payload', 'grantId', 'accountId', 'clientId', 'sessionUid'] as const),
  ...(['lookup', 'consumedAt', 'ttl'] as const),
]

const INSERT = `
insert into "oidc_artifact"
  ("model", "id_digest", "payload", "grant_id", "account_id", "client_id", "session_uid", "lookup_digest", "consumed_at", "expires_at")
values ($1, $2, $3::jsonb, $4, $5, $6, $7, $8, to_timestamp($9::float8 / 1000), now() + $10::float8 * interval '1 millisecond')
on conflict do nothing`

/**
 * What is remembered of a code or token that Redis has spent stays consumed, and gets what it was,
 * so that its reuse can end its family.
 */
const COMPLETE = `
update "oidc_artifact" set
  "payload" = $3::jsonb, "grant_id" = $4, "account_id" = $5, "client_id" = $6, "session_uid" = $7, "lookup_digest" = $8
where "model" = $1 and "id_digest" = $2 and "payload" ? '$used'`

const CONSUME = `update "oidc_artifact" set "consumed_at" = coalesce("consumed_at", to_timestamp($3::float8 / 1000)) where "model" = $1 and "id_digest" = $2`

/** A session is there under whatever id it has by now, as a trace too: it is found by its uid as well. */
const SENT = `unnest($1::varchar[], $2::bytea[], $3::bytea[]) as "sent" ("model", "digest", "lookup")`
const SAME = `"a"."model" = "sent"."model" and ("a"."id_digest" = "sent"."digest" or "a"."lookup_digest" = "sent"."lookup")`
const DELETE_EXPIRED = `delete from "oidc_artifact" as "a" using ${SENT} where ${SAME} and "a"."expires_at" <= now()`
const COUNT = `select count(*)::int as "count" from ${SENT} where exists (select from "oidc_artifact" as "a" where ${SAME})`

export async function rowsAfter(pool: Pool, last: Row | undefined, limit: number): Promise<Row[]> {
  return (await pool.query<Row>(AFTER, [last?.model ?? '', last?.digest ?? Buffer.alloc(0), limit]))
    .rows
}

export async function deleteRows(pool: Pool, rows: readonly Row[]): Promise<void> {
  const columns = [rows.map(({ model }) => model), rows.map(({ digest }) => digest)]
  await pool.query(
    `delete from "oidc_artifact" where ("model", "id_digest") in (select * from unnest($1::varchar[], $2::bytea[]))`,
    columns,
  )
}

/**
 * All or none. What is there already stays as it is, but becomes consumed if what arrives is; what
 * has expired there is not there.
 */
export async function insertRows(pool: Pool, rows: readonly Row[]): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query(DELETE_EXPIRED, sent(rows))
    for (const row of rows) {
      const values = COLUMNS.map((name) => row[name])
      const { rowCount } = await client.query(INSERT, values)
      if (rowCount !== 0) continue
      await client.query(COMPLETE, values.slice(0, 8))
      if (row.consumedAt !== null)
        await client.query(CONSUME, [row.model, row.digest, row.consumedAt])
    }
  })
}

/** How many of these are there now. */
export async function countRows(pool: Pool, rows: readonly Row[]): Promise<number> {
  return (await pool.query<{ count: number }>(COUNT, sent(rows))).rows[0]?.count ?? 0
}

function sent(rows: readonly Row[]): unknown[] {
  return [
    rows.map(({ model }) => model),
    rows.map(({ digest }) => digest),
    rows.map(({ lookup }) => lookup),
  ]
}
