import { ADVISORY_LOCKS } from '../config/advisory-locks.ts'
import { type EntityManager, inTransaction, type Pool } from '../database/database.ts'
import { type AuditRow, GENESIS, hashOf } from './row.ts'

const INSERT = `
insert into "audit_event" ("seq", "at", "type", "outcome", "account_id", "client_id", "session_id", "ip", "user_agent", "request_id", "detail",
  "origin_salt", "origin_digest", "previous_hash", "hash")
select "seq", "at", "type", "outcome", "account_id", "client_id", "session_id", "ip", "user_agent", "request_id", "detail",
  decode("origin_salt", 'hex'), decode("origin_digest", 'hex'), decode("previous_hash", 'hex'), decode("hash", 'hex')
from jsonb_to_recordset($1::jsonb) as "row" ("seq" bigint, "at" timestamptz, "type" text, "outcome" text, "account_id" uuid, "client_id" text,
  "session_id" text, "ip" text, "user_agent" text, "request_id" text, "detail" jsonb, "origin_salt" text, "origin_digest" text,
  "previous_hash" text, "hash" text)`

const LAST = `select "seq"::text as "seq", encode("hash", 'hex') as "hash" from "audit_event" order by "audit_event"."seq" desc limit 1`

interface Link {
  readonly seq: string
  readonly hash: string
}

/**
 * Puts a row at the end of the chain, in the caller's transaction. The lock is held to the end of
 * it: of all instances one writes at a time, and nobody builds on a row that may yet be rolled
 * back.
 */
export async function extendChain(tx: EntityManager, row: AuditRow): Promise<void> {
  await lockChain(tx)
  const [last] = await tx.execute<Link[]>(LAST)
  await tx.execute(INSERT.replace('$1', '?'), [JSON.stringify(linked(last, [row]))])
}

/**
 * The same for many, in a transaction of their own. Without the ORM, which would write them into
 * the text of the statement: they are most of what the trail costs.
 */
export async function extendChainBy(pool: Pool, rows: readonly AuditRow[]): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query({
      name: 'audit_lock',
      text: 'select pg_advisory_xact_lock($1)',
      values: [ADVISORY_LOCKS.auditTrail],
    })
    const last = await client.query<Link>({ name: 'audit_last', text: LAST })
    await client.query({
      name: 'audit_insert',
      text: INSERT,
      values: [JSON.stringify(linked(last.rows[0], rows))],
    })
  })
}

function linked(last: Link | undefined, rows: readonly AuditRow[]): object[] {
  let seq = Number(last?.seq ?? 0)
  let previousHash = last?.hash ?? GENESIS
  return rows.map((row) => {
    seq += 1
    const hash = hashOf(seq, previousHash, row)
    const record = {
      seq,
      at: row.at.toISOString(),
      type: row.type,
      outcome: row.outcome,
      account_id: row.accountId,
      client_id: row.clientId,
      session_id: row.sessionId,
      ip: row.ip,
      user_agent: row.userAgent,
      request_id: row.requestId,
      detail: row.detail,
      origin_salt: row.originSalt,
      origin_digest: row.originDigest,
      previous_hash: previousHash,
      hash,
    }
    previousHash = hash
    return record
  })
}

export async function lockChain(tx: EntityManager): Promise<void> {
  await tx.execute('select pg_advisory_xact_lock(?::bigint)', [ADVISORY_LOCKS.auditTrail])
}
