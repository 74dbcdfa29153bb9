import { LIFETIMES } from '../../../config/limits.ts'
import type { EntityManager, Pool } from '../../../database/database.ts'
import { SPEND_CHALLENGE } from '../../../database/spent-challenges.ts'
import type { Account, SuspendedFor } from '../../../entities/index.ts'
import { IS_WAY_IN } from '../ways.ts'
import type { Answered } from './answered.ts'
import { CONFIRMED_BY_USE } from './suspended.ts'
import type { Authenticator } from './webauthn.ts'

/** A credential that is presented, with what its account may do. */
export interface StoredKey {
  readonly passkeyId: string
  readonly publicKey: Buffer
  readonly isBackupEligible: boolean
  readonly hasVerified: boolean
  readonly isWayIn: boolean
  readonly suspendedFor: SuspendedFor | null
  /** A recovery suspended it in the last seven days. */
  readonly mayFreeze: boolean
  readonly accountId: string
  readonly credentialVersion: number
  readonly status: Account['status']
  readonly mustResetPassword: boolean
}

/** The challenge is spent before anything is judged, in the statement that looks the key up (PK-01). */
const FIND = {
  name: 'passkey-find',
  text: `
with "spent" as (${SPEND_CHALLENGE})
select exists (select from "spent") as "isFirst", k."id" as "passkeyId", k."public_key" as "publicKey",
  k."is_backup_eligible" as "isBackupEligible", k."has_verified" as "hasVerified", k."isWayIn",
  case when k."suspended_at" is not null then coalesce(k."suspended_for", '') end as "suspendedFor",
  k."suspended_for" = 'recovery' and k."suspended_at" > now() - ${LIFETIMES.lateReport} * interval '1 second' as "mayFreeze",
  a."id" as "accountId", a."credential_version" as "credentialVersion", a."status", a."must_reset_password" as "mustResetPassword"
from (values ($3::bytea)) as q ("credential_id")
left join (select *, ${IS_WAY_IN} as "isWayIn" from "passkey") k on k."credential_id" = q."credential_id"
left join "account" a on a."id" = k."account_id"`,
}

/**
 * No row where the counter did not rise, or where the key may not be used any more. A key that a
 * reset has suspended is confirmed by its use in a second step.
 */
const use = (at: (position: number) => string): string => `
with "use" ("id", "counter", "isBackedUp", "hasVerified", "confirms") as (values (${at(1)}::uuid, ${at(2)}::bigint, ${at(3)}::boolean, ${at(4)}::boolean, ${at(5)}::boolean))
update "passkey" k set "sign_count" = u."counter", "is_backed_up" = u."isBackedUp", "has_verified" = k."has_verified" or u."hasVerified", "last_used_at" = now(), "suspended_at" = null, "suspended_for" = null
from "use" u
where k."id" = u."id" and (k."sign_count" < u."counter" or (k."sign_count" = 0 and u."counter" = 0)) and (k."suspended_at" is null or (u."confirms" and k."suspended_for" = '${CONFIRMED_BY_USE}'))
returning 1`
const USE_ALONE = { name: 'passkey-use', text: use((position) => `$${position}`) }
const USE_WITHIN = use(() => '?')

/** One that did not rise, and is not always zero, is a copy's (WebAuthn 6.1.1). */
const SUSPEND = `
update "passkey" set "suspended_at" = now(), "suspended_for" = 'counter' where "id" = ? and "suspended_at" is null returning 1`

/** `isFirst`: this answer is the first to the challenge. `key`: undefined for one that is not known here. */
export async function findAnswered(
  pool: Pool,
  { spending }: Answered,
  credentialId: Buffer,
): Promise<{ isFirst: boolean; key: StoredKey | undefined }> {
  const { rows } = await pool.query<StoredKey & { isFirst: boolean; passkeyId: string | null }>({
    ...FIND,
    values: [...spending, credentialId],
  })
  const [row] = rows
  return { isFirst: row?.isFirst ?? false, key: row?.passkeyId ? row : undefined }
}

/** False where it may not be used any more. */
export async function useAlone(pool: Pool, key: StoredKey, said: Authenticator): Promise<boolean> {
  return (await pool.query({ ...USE_ALONE, values: [...useOf(key, said), false] })).rowCount === 1
}

/** With what it is used for. It confirms a key that a reset has suspended. */
export async function useWithin(
  tx: EntityManager,
  key: StoredKey,
  said: Authenticator,
): Promise<boolean> {
  return (await tx.execute<unknown[]>(USE_WITHIN, [...useOf(key, said), true])).length === 1
}

/** False where it was suspended or taken away before. */
export async function suspendCopied(tx: EntityManager, { passkeyId }: StoredKey): Promise<boolean> {
  return (await tx.execute<unknown[]>(SUSPEND, [passkeyId])).length === 1
}

function useOf({ passkeyId }: StoredKey, { counter, isBackedUp, hasVerified }: Authenticator) {
  return [passkeyId, counter, isBackedUp, hasVerified]
}
