import { sha256 } from '../crypto/token.ts'
import type { Pool } from '../database/database.ts'
import type { Account } from '../entities/index.ts'
import { IS_KEEPABLE } from './accounts.ts'
import type { CanonicalEmail } from './canonical-email.ts'
import { countPassword, keyOf } from './factors/attempts.ts'

/** What an address and a device cookie can sign in to. */
export interface Known {
  readonly accountId: string | null
  readonly email: string
  readonly passwordHash: string | null
  readonly status: Account['status']
  readonly mustResetPassword: boolean
  /** About to be deleted, and its owner may still keep it. */
  readonly isKeepable: boolean | null
  readonly strongest: Account['strongest']
  readonly credentialVersion: number
  /** The sign-up that an unproven address would sign in to; newest first. */
  readonly pendingId: string | null
  readonly pendingHash: string | null
  readonly isKnownDevice: boolean
  /** Tries of the device or the address, this one included; none if it is blocked. */
  readonly failures: number | null
}

/**
 * One statement whatever there is: an address that has an account takes no shorter way. It counts
 * the try as it looks.
 */
const BEGIN = {
  name: 'sign-in-begin',
  text: `
with "known" as materialized (
  select a."id" as "accountId", a."email", a."password_hash" as "passwordHash", a."status", a."must_reset_password" as "mustResetPassword", ${IS_KEEPABLE} as "isKeepable",
    a."strongest", a."credential_version" as "credentialVersion", p."id" as "pendingId", p."password_hash" as "pendingHash",
    d."digest" is not null as "isKnownDevice", case when d."digest" is null then $3::bytea else $4::bytea end as "subject"
  from (values ($1::varchar)) as q ("email")
  left join "account" a on a."email" = q."email"
  left join "known_device" d on d."digest" = $2 and d."account_id" = a."id"
  left join lateral (
    select "id", "password_hash" from "pending_sign_up" where "email" = q."email" and "password_hash" <> '' and "expires_at" > now() order by "created_at" desc limit 1
  ) p on true
), "tried" as (${countPassword('"subject"', 'from "known"')})
select "known".*, "tried"."failures" from "known" left join "tried" on true`,
}

/** Whose tries are counted: those of a known device, or else of the address (RL-03). */
export interface Subjects {
  readonly device: string
  readonly address: string
}

export async function beginSignIn(
  pool: Pool,
  {
    email,
    device,
    subjects,
  }: { email: CanonicalEmail | undefined; device: string | undefined; subjects: Subjects },
): Promise<Known> {
  const values = [
    email ?? null,
    device ? sha256(device) : null,
    keyOf(subjects.address),
    keyOf(subjects.device),
  ]
  const { rows } = await pool.query<Known>({ ...BEGIN, values })
  return rows[0] as Known
}
