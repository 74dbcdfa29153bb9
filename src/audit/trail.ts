import type { Pool } from '../database/database.ts'
import type { AuditRow } from './row.ts'

export interface StoredRow extends AuditRow {
  readonly seq: number
  readonly previousHash: string
  readonly hash: string
}

interface Columns extends Omit<StoredRow, 'seq' | 'at'> {
  readonly seq: string
  readonly at: string
}

const PAGE = 1000
const READ = `
select "seq"::text as "seq", (extract(epoch from "at") * 1000)::text as "at", "type", "outcome", "account_id"::text as "accountId", "client_id" as "clientId",
  "session_id" as "sessionId", "ip", "user_agent" as "userAgent", "request_id" as "requestId", "detail", encode("origin_salt", 'hex') as "originSalt",
  encode("origin_digest", 'hex') as "originDigest", encode("previous_hash", 'hex') as "previousHash", encode("hash", 'hex') as "hash"
from "audit_event" where "audit_event"."seq" > $1 order by "audit_event"."seq" limit ${PAGE}`

/** The whole trail, oldest first, a page in memory at a time. */
export async function* readTrail(pool: Pool, after = 0): AsyncGenerator<StoredRow> {
  let last = after
  for (;;) {
    const { rows } = await pool.query<Columns>(READ, [last])
    for (const row of rows) {
      last = Number(row.seq)
      yield { ...row, seq: last, at: new Date(Number(row.at)) }
    }
    if (rows.length < PAGE) return
  }
}
