import { LIFETIMES } from '../../config/limits.ts'
import type { EntityManager } from '../../database/database.ts'
import type { SuspendedFor } from '../../entities/index.ts'

export type Cause = Exclude<SuspendedFor, 'counter'>

/**
 * What each cause takes over from another. A copied key waits for its owner in any case. A reset
 * after a report lets the keys answer a second step again; after a recovery they wait for their
 * owner, whatever is reset or reported.
 */
const TAKES_OVER: Readonly<Record<Cause, readonly Cause[]>> = {
  reset: ['report'],
  report: ['reset'],
  recovery: ['reset', 'report'],
}

const SUSPEND = `
update "passkey" set "suspended_at" = now(), "suspended_for" = ?,
  "kept_until" = case when ? then now() + ${LIFETIMES.lateReport} * interval '1 second' else "kept_until" end
where "account_id" = ? and ("suspended_at" is null or "suspended_for" = any(?::text[]))`

const SUSPEND_IDENTITIES =
  'update "identity" set "suspended_at" = now() where "account_id" = ? and "suspended_at" is null'

/**
 * What was there before may be somebody else's: until its owner confirms it, nobody comes in by it
 * alone. The account is as strong as it was: a key that was suspended by a reset still answers a
 * second step, which confirms it. Who has got in by a recovery cannot remove what may report that
 * (decision 0076). A connected account waits until it is connected once more.
 */
export async function suspendWays(
  tx: EntityManager,
  accountId: string,
  cause: Cause,
): Promise<void> {
  await tx.execute(SUSPEND, [
    cause,
    cause === 'recovery',
    accountId,
    `{${TAKES_OVER[cause].join(',')}}`,
  ])
  await tx.execute(SUSPEND_IDENTITIES, [accountId])
}
