import type { Pool } from '../../database.ts'

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

/** Replay records stay in PostgreSQL whatever the storage; the trace of an ended session is nothing to move. Nor is what ends within a second. */
const AFTER = `
select "model", "id_digest" as "digest", "payload"::text as "payload", "grant_id" as "grantId", "account_id" as "accountId",
  "client_id" as "clientId", "session_uid" as "sessionUid", "lookup_digest" as "lookup",
  extract(epoch from "consumed_at")::float8 * 1000 as "consumedAt", extract(epoch from "expires_at" - now())::float8 * 1000 as "ttl"
from "oidc_artifact"
where ("model", "id_digest") > ($1::varchar, $2::bytea) and ("expires_at" is null or "expires_at" > now() + interval '1 second')
  and "model" <> 'ReplayDetection' and ("model" <> 'Session' or "consumed_at" is null)
order by "model", "id_digest" limit $3`

const INSERT = `
insert into "oidc_artifact" as "a"
  ("model", "id_digest", "payload", "grant_id", "account_id", "client_id", "session_uid", "lookup_digest", "consumed_at", "expires_at")
values ($1, $2, $3::jsonb, $4, $5, $6, $7, $8, to_timestamp($9::float8 / 1000), now() + $10::float8 * interval '1 millisecond')
on conflict ("model", "id_digest") do update set "consumed_at" = coalesce("a"."consumed_at", excluded."consumed_at")`

export async function rowsAfter(pool: Pool, last: Row | undefined, limit: number): Promise<Row[]> {
  return (await pool.query<Row>(AFTER, [last?.model ?? '', last?.digest ?? Buffer.alloc(0), limit])).rows
}

export async function deleteRows(pool: Pool, rows: readonly Row[]): Promise<void> {
  const columns = [rows.map(({ model }) => model), rows.map(({ digest }) => digest)]
  await pool.query(
    `delete from "oidc_artifact" where ("model", "id_digest") in (select * from unnest($1::varchar[], $2::bytea[]))`,
    columns,
  )
}

/** All or none; returns how many are there now. */
export async function insertRows(pool: Pool, rows: readonly Row[]): Promise<number> {
  const client = await pool.connect()
  let stored = 0
  try {
    await client.query('begin')
    for (const row of rows) {
      const { model, digest, payload, grantId, accountId, clientId, sessionUid, lookup, consumedAt, ttl } = row
      const values = [model, digest, payload, grantId, accountId, clientId, sessionUid, lookup, consumedAt, ttl]
      stored += (await client.query(INSERT, values)).rowCount ?? 0
    }
    await client.query('commit')
    return stored
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}
