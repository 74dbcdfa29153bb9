import type { Actor, AuditSink } from '../audit/event.ts'
import { eraseOrigins } from '../audit/retention.ts'
import { databaseNow } from '../database/clock.ts'
import type { EntityManager } from '../database/database.ts'
import { Account } from '../entities/index.ts'
import type { OneTimeTokens } from './one-time-tokens.ts'
import type { Sessions } from './sessions/sessions.ts'

export interface ErasureDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly sessions: Sessions
  readonly tokens: OneTimeTokens
}

/** They name the address. */
const FORGET_INVITATIONS = `delete from "invitation" where "email" = (select "email" from "account" where "id" = ? and "status" = 'deleting' and "delete_after" <= now())`

/**
 * Erases an account that is due; false if it was kept in the meantime. The audit trail keeps its id
 * as a pseudonym (LG-08).
 */
export async function erase(
  { audit, em, sessions, tokens }: ErasureDeps,
  id: string,
  actor?: Actor,
): Promise<boolean> {
  await sessions.endAll(id, { cause: 'account_erased' })
  return em.fork().transactional(async (tx) => {
    await tokens.voidAll(tx, id)
    await tx.execute(FORGET_INVITATIONS, [id])
    const erased = await tx.nativeDelete(Account, {
      id,
      status: 'deleting',
      deleteAfter: { $lte: databaseNow() },
    })
    if (erased === 0) return false
    await audit.append(tx, { type: 'account_erased', accountId: id, actor })
    await eraseOrigins(tx, id)
    return true
  })
}
