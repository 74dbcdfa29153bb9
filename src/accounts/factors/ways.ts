import type { EntityManager } from '../../database/database.ts'
import type { Account } from '../../entities/index.ts'
import { DISTRUST } from '../../entities/known-device.ts'
import { AppError } from '../../errors.ts'
import { STRONGEST, type Strongest, strongestOf, takesTwoFactors } from './levels.ts'
import type { AccountWays, Method } from './method.ts'
import { EMAIL_CODE } from './methods/email-code.ts'
import { METHODS } from './methods/index.ts'
import type { SignInPolicy } from './sign-in-policy.ts'

/** Of a row of `passkey`: it may be the only step of a sign-in, suspended or not. */
export const IS_WAY_IN = `"has_verified" and "is_discoverable" is distinct from false`

/** A way more is a column more. Its owner puts the count of its table in the place of a zero. */
const FACTS = `
select "password_hash" is not null as "hasPassword",
  "keys"."ways" as "passkeys",
  "keys"."all" - "keys"."ways" as "securityKeys",
  (select count(*)::int from "identity" where "account_id" = "account"."id") as "identities",
  "email_verified_at" is not null as "hasProvenAddress",
  exists (select from "totp_credential" where "account_id" = "account"."id" and "confirmed_at" is not null) as "hasTotp",
  (select count(*)::int from "recovery_code" where "account_id" = "account"."id" and "used_at" is null) as "recoveryCodes",
  "strongest", "keys"."live" as "livePasskeys"
from "account", lateral (
  select count(*)::int as "all", count(*) filter (where ${IS_WAY_IN})::int as "ways",
    count(*) filter (where ${IS_WAY_IN} and "suspended_at" is null)::int as "live"
  from "passkey" where "account_id" = "account"."id"
) "keys"`
const WAYS = `${FACTS} where "id" = ?`
/** Where the ways in have changed, no device is trusted any more. */
const STORE = `
with "distrusted" as (update "known_device" set ${DISTRUST} where "account_id" = ? and "trusted_until" is not null)
update "account" set "strongest" = ? where "id" = ?`
const CENSUS = `
select "hasPassword", "hasProvenAddress", least("passkeys", 1) as "passkeys", least("identities", 1) as "identities", 0 as "securityKeys", count(*)::int as "accounts"
from (${FACTS} where "status" = 'active') "each" group by 1, 2, 3, 4`

interface Counted extends AccountWays {
  /** As it was counted last. */
  readonly strongest: Account['strongest']
  /** Without those that are suspended: they make an account no weaker, and let nobody in. */
  readonly livePasskeys: number
}

/**
 * Counts anew how strong a sign-in of the account can be. Every transaction that adds or removes a
 * method ends with it.
 */
export async function recount(tx: EntityManager, accountId: string): Promise<Strongest> {
  const ways = await lockedWays(tx, accountId)
  if (!ways) return STRONGEST.none
  const strongest = strongestOf(availableOf(ways))
  await tx.execute(STORE, [accountId, strongest, accountId])
  return strongest
}

/**
 * For a transaction that has removed a method, before it counts anew: there is still a way in that
 * the operator offers now, and where two factors are demanded, an account that had two has two.
 * Throws `last_way_in`.
 */
export async function ensureWayStays(
  tx: EntityManager,
  accountId: string,
  policy: SignInPolicy,
): Promise<void> {
  const ways = await lockedWays(tx, accountId)
  if (!ways) return
  const left = availableOf(ways)
  const live = availableOf({ ...ways, passkeys: ways.livePasskeys })
  const hasWayIn = live.some(({ id, counts }) => counts === 'way-in' && policy.offers(id))
  const isWeakened = ways.strongest === STRONGEST.two && strongestOf(left) < STRONGEST.two
  if (!hasWayIn || (policy.isStrict && isWeakened)) throw new AppError('last_way_in')
}

/** Active accounts that have no way in but what the operator does not offer, by what they have. */
export async function strandedBy(
  em: EntityManager,
  policy: SignInPolicy,
): Promise<ReadonlyMap<string, number>> {
  const stranded = new Map<string, number>()
  for (const { accounts, ...ways } of await em.execute<(AccountWays & { accounts: number })[]>(
    CENSUS,
  )) {
    const all = availableOf(ways).filter(({ counts }) => counts === 'way-in')
    if (all.some(({ id }) => policy.offers(id))) continue
    const own = all.filter(({ isOfAddress }) => !isOfAddress)
    const names = (own.length > 0 ? own : all).map(({ id }) => id).join(' or ')
    stranded.set(names, (stranded.get(names) ?? 0) + accounts)
  }
  return stranded
}

/**
 * Whether a code to the address can begin a sign-in. Where nothing but a passkey makes the account
 * stronger there is no second step to go on to, and a mailbox alone never takes its place.
 */
export async function takesMailedCode(em: EntityManager, accountId: string): Promise<boolean> {
  const [ways] = await em.execute<Counted[]>(WAYS, [accountId])
  if (!ways) return false
  const available = availableOf(ways)
  return (
    available.includes(EMAIL_CODE) &&
    (!takesTwoFactors(ways) || available.some(({ counts }) => counts === 'second'))
  )
}

function availableOf(ways: AccountWays): Method[] {
  return METHODS.filter((method) => method.isAvailable(ways))
}

async function lockedWays(tx: EntityManager, accountId: string): Promise<Counted | undefined> {
  await tx.flush()
  const [ways] = await tx.execute<Counted[]>(`${WAYS} for update of "account"`, [accountId])
  return ways
}
