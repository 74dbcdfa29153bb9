import { LockMode } from '@mikro-orm/core'
import type { EntityManager } from '../database/database.ts'
import { Account } from '../entities/index.ts'

/** For a transaction that changes how the account is signed in to: every such change locks it first. */
export function lockedAccount(tx: EntityManager, id: string): Promise<Account> {
  return tx.findOneOrFail(Account, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })
}
