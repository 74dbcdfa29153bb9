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
  "strongest", "keys"."live" as "livePasskeys",
  (select count(*)::int from "identity" "i" join "provider" "p" on "p"."id" = "i"."provider_id"
    where "i"."account_id" = "account"."id" and "i"."suspended_at" is null and "p"."disabled_at" is null) as "liveIdentities"
from "account", lateral (
  select count(*)::int as "all", count(*) filter (where ${IS_WAY_IN})::int as "ways",
    count(*) filter (where ${IS_WAY_IN} and "suspended_at" is null)::int as "live"
  from "passkey" where "account_id" = "account"."id"
) "keys"`
const WAYS = `${FACTS} where "id" = ?`
const STORE = 'update "account" set "strongest" = ? where "id" = ?'
const END_TRUST = `
update "known_device" set ${DISTRUST} where "account_id" = ? and "trusted_until" is not null`
/** A mailbox was enough for it as long as the account had one factor. */
const END_GRANTS = `
delete from "verification_token" where "subject_id" = ? and "purpose" = 'recover_grant'`
const CENSUS = `
select "hasPassword", "hasProvenAddress", least("livePasskeys", 1) as "passkeys", least("liveIdentities", 1) as "identities", 0 as "recoveryCodes",
  "hasTotp", least("securityKeys", 1) as "securityKeys", "strongest", count(*)::int as "accounts"
from (${FACTS} where "status" = 'active') "each" group by 1, 2, 3, 4, 6, 7, 8`

interface Counted extends AccountWays {
  /** As it was counted last. */
  readonly strongest: Account['strongest']
  /** Without those that are suspended: they make an account no weaker, and let nobody in. */
  readonly livePasskeys: number
  /** Of providers that are not disabled. */
  readonly liveIdentities: number
}

/**
 * Counts anew how strong a sign-in of the account can be. Every transaction that adds or removes a
 * method ends with it. No device is trusted any more then, but where `keepsTrust`: one way in more
 * takes nothing from the second step.
 */
export async function recount(
  tx: EntityManager,
  accountId: string,
  { keepsTrust = false }: { readonly keepsTrust?: boolean } = {},
): Promise<Strongest> {
  const ways = await lockedWays(tx, accountId)
  if (!ways) return STRONGEST.none
  const strongest = strongestOf(availableOf(ways))
  await tx.execute(STORE, [strongest, accountId])
  if (!keepsTrust) await tx.execute(END_TRUST, [accountId])
  if (strongest > ways.strongest) await tx.execute(END_GRANTS, [accountId])
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
  const { livePasskeys: passkeys, liveIdentities: identities } = ways
  const strongest = strongestOf(left)
  const live = waysIn({ ...ways, passkeys, identities, strongest })
  const hasWayIn = live.some(({ id }) => policy.offers(id))
  const isWeakened = ways.strongest === STRONGEST.two && strongest < STRONGEST.two
  if (!hasWayIn || (policy.isStrict && isWeakened)) throw new AppError('last_way_in')
}

/** Active accounts that have no way in but what the operator does not offer, by what they have. */
export async function strandedBy(
  em: EntityManager,
  policy: SignInPolicy,
): Promise<ReadonlyMap<string, number>> {
  const stranded = new Map<string, number>()
  for (const { accounts, ...ways } of await em.execute<(Opening & { accounts: number })[]>(
    CENSUS,
  )) {
    const all = waysIn(ways)
    if (all.some(({ id }) => policy.offers(id))) continue
    const own = all.filter(({ isOfAddress }) => !isOfAddress)
    const names = (own.length > 0 ? own : all).map(({ id }) => id).join(' or ')
    stranded.set(names, (stranded.get(names) ?? 0) + accounts)
  }
  return stranded
}

/** Whether a code to the address can begin a sign-in. */
export async function takesMailedCode(em: EntityManager, accountId: string): Promise<boolean> {
  const [ways] = await em.execute<Counted[]>(WAYS, [accountId])
  if (!ways) return false
  return waysIn(ways).includes(EMAIL_CODE)
}

/** What an account has, and how strong it is with it. */
interface Opening extends AccountWays {
  readonly strongest: Strongest
}

/**
 * What a sign-in can begin with. Where nothing but a passkey makes the account stronger, a code to
 * the address has no second step to go on to, and a mailbox alone never takes its place.
 */
function waysIn(ways: Opening): Method[] {
  const available = availableOf(ways)
  const takesCode = !takesTwoFactors(ways) || available.some(({ counts }) => counts === 'second')
  return available.filter(
    (method) => method.counts === 'way-in' && (method !== EMAIL_CODE || takesCode),
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
