import type { EntityManager } from '../../database/database.ts'
import { Account } from '../../entities/index.ts'
import { strongestOf } from './levels.ts'
import type { AccountWays } from './method.ts'
import { METHODS } from './methods/index.ts'

/** A way more is a column more. */
const WAYS = `
select "password_hash" is not null as "hasPassword",
  exists (select from "totp_credential" where "account_id" = "account"."id" and "confirmed_at" is not null) as "hasTotp",
  (select count(*)::int from "recovery_code" where "account_id" = "account"."id" and "used_at" is null) as "recoveryCodes"
from "account" where "id" = ? for update`

/**
 * Counts anew how strong a sign-in of the account can be. Every transaction that adds or removes a
 * method ends with it.
 */
export async function recount(tx: EntityManager, accountId: string): Promise<void> {
  await tx.flush()
  const [ways] = await tx.execute<AccountWays[]>(WAYS, [accountId])
  if (!ways) return
  const strongest = strongestOf(METHODS.filter((method) => method.isAvailable(ways)))
  await tx.nativeUpdate(Account, { id: accountId }, { strongest })
}
