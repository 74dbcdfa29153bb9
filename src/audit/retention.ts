import type { EntityManager } from '../database/database.ts'
import type { Audit } from './audit.ts'
import { lockChain } from './chain.ts'

/** Rows that one purge removes. */
export const PURGED_AT_MOST = 10_000

/**
 * Removes the oldest events that are older than so many days, and appends where the chain was cut
 * with the hash of the last row that went: what remains can still be proven (LG-04, LG-07). The
 * newest event always stays. Returns how many went.
 */
export async function purgeAudit(
  em: EntityManager,
  audit: Audit,
  keepDays: number,
): Promise<number> {
  return em.fork().transactional(async (tx) => {
    await lockChain(tx)
    const [last] = await tx.execute<{ seq: string; hash: string }[]>(
      `select "seq"::text as "seq", encode("hash", 'hex') as "hash" from (
         select "seq", "hash", bool_and("at" < now() - ?::int * interval '1 day') over (order by "seq") as "is_old"
         from "audit_event" order by "seq" limit ${PURGED_AT_MOST}) as "oldest"
       where "is_old" order by "oldest"."seq" desc limit 1`,
      [keepDays],
    )
    if (!last) return 0
    await audit.append(tx, {
      type: 'audit_purged',
      detail: { through: Number(last.seq), hash: last.hash },
    })
    const [purged] = await tx.execute<{ count: string }[]>(
      'select audit_event_purge(?::bigint) as "count"',
      [last.seq],
    )
    return Number(purged?.count ?? 0)
  })
}

/**
 * Takes addresses and browsers out of an erased account's events; the chain holds digests of them
 * that nobody can turn back (LG-08).
 */
export async function eraseOrigins(tx: EntityManager, accountId: string): Promise<void> {
  await tx.execute('select audit_event_erase_origins(?::uuid)', [accountId])
}
