import { equal } from '../crypto/token.ts'
import type { Pool } from '../database/database.ts'
import { GENESIS, hashOf, originDigest } from './row.ts'
import { readTrail, type StoredRow } from './trail.ts'

export type Verdict =
  | {
      readonly status: 'intact'
      readonly rows: number
      readonly first: number
      readonly head: Head | undefined
    }
  | { readonly status: 'broken'; readonly seq: number; readonly reason: string }

/** The end of the chain. Kept outside the database, it shows later that nothing before it was cut off. */
export interface Head {
  readonly seq: number
  /** Hex. */
  readonly hash: string
}

/**
 * Walks the chain from its beginning, or from where the retention job has recorded that it cut it;
 * names the first row that does not hold.
 */
export async function verifyTrail(pool: Pool, expected?: Head): Promise<Verdict> {
  const [erased, purges] = await Promise.all([erasedAccounts(pool), recordedPurges(pool)])
  let before: { readonly seq: number; readonly hash: string } | undefined
  let first: number | undefined
  let rows = 0
  for await (const row of readTrail(pool)) {
    const broken = (reason: string): Verdict => ({ status: 'broken', seq: row.seq, reason })
    const expectedSeq = before ? before.seq + 1 : row.seq
    if (row.seq !== expectedSeq)
      return { status: 'broken', seq: expectedSeq, reason: 'the row is missing' }
    const previous = before?.hash ?? (row.seq === 1 ? GENESIS : purges.get(row.seq - 1))
    if (!previous)
      return broken(
        'the rows before it are missing, and no retention job has recorded that it removed them',
      )
    if (row.previousHash !== previous) return broken('it does not follow from the row before')
    if (hashOf(row.seq, previous, row) !== row.hash) return broken('its content was changed')
    const isHidden = row.originSalt === null
    if (isHidden && (row.ip !== null || row.userAgent !== null))
      return broken('its address was changed')
    if (isHidden && !erased.has(row.accountId ?? ''))
      return broken('its address was removed, and its account was never erased')
    if (row.originSalt && !isSame(originDigest(row.originSalt, row), row.originDigest))
      return broken('its address was changed')
    if (row.seq === expected?.seq && row.hash !== expected.hash)
      return broken('it is not the row that was noted down')
    before = row
    first ??= row.seq
    rows += 1
  }
  if (expected && (before?.seq ?? 0) < expected.seq)
    return {
      status: 'broken',
      seq: (before?.seq ?? 0) + 1,
      reason: 'the rows from here to the noted one are missing',
    }
  return {
    status: 'intact',
    rows,
    first: first ?? 0,
    head: before && { seq: before.seq, hash: before.hash },
  }
}

function isSame(a: string, b: string): boolean {
  return equal(Buffer.from(a), Buffer.from(b))
}

async function erasedAccounts(pool: Pool): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ id: string }>(
    `select distinct "account_id"::text as "id" from "audit_event" where "type" = 'account_erased' and "account_id" is not null`,
  )
  return new Set(rows.map(({ id }) => id))
}

/** The last removed row of each purge, with its hash: the anchor of what remains. */
async function recordedPurges(pool: Pool): Promise<ReadonlyMap<number, string>> {
  const { rows } = await pool.query<{ detail: StoredRow['detail'] }>(
    `select "detail" from "audit_event" where "type" = 'audit_purged'`,
  )
  return new Map(rows.map(({ detail }) => [Number(detail['through']), String(detail['hash'])]))
}
