import type { AuditDetail } from '../../audit/event.ts'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import { CAPS } from '../../config/limits.ts'
import type { Pool } from '../../database/database.ts'
import type { Account, Session } from '../../entities/index.ts'
import { trustHolds } from '../../entities/known-device.ts'
import { AppError } from '../../errors.ts'
import { stillProven } from '../accounts.ts'
import type { CameBy } from '../came-by.ts'
import { STRONGEST } from '../factors/levels.ts'
import { callingOff } from '../recovery/hold-rows.ts'

export interface NewSession {
  readonly id: string
  readonly accountId: string
  /** The app that asked for the sign-in. */
  readonly clientId?: string | undefined
  readonly door: 'pages' | 'api'
  readonly amr: readonly string[]
  readonly acr: string | undefined
  readonly isRemembered: boolean
  readonly authenticatedAt: Date
  /** When a second factor was shown in this sign-in, were it a recovery code. */
  readonly secondProvedAt: Date | undefined
  readonly expiresAt: Date
  readonly upstream?: CameBy | undefined
  /** That provider is trusted to say so, and said that two factors were shown there. */
  readonly broughtTwo?: boolean | undefined
  /** The trusted device that did for the second step: `TrustedDevices.nameOf`. */
  readonly trustedBy?: string | undefined
  /** The passkey that was shown. */
  readonly passkeyId?: string | undefined
  /** For a session that is only opened if what was proven of the account still holds (PW-10). */
  readonly credentialVersion?: number
}

/** What the trail says of it. */
export function openingDetail({
  door,
  amr,
  acr,
  isRemembered,
  trustedBy,
  passkeyId,
  upstream,
}: NewSession): AuditDetail {
  return {
    door,
    amr: [...amr],
    acr,
    isRemembered,
    ...(trustedBy ? { isTrustedDevice: true } : {}),
    ...(passkeyId ? { passkey: passkeyId } : {}),
    ...(upstream ? { provider: upstream.providerId } : {}),
  }
}

/** A session that has just been opened, as its owner may see it. */
export interface OpenedSession
  extends Pick<Session, 'id' | 'ip' | 'userAgent' | 'createdAt' | 'lastSeenAt' | 'expiresAt'> {
  readonly account: Pick<
    Account,
    | 'id'
    | 'name'
    | 'email'
    | 'emailVerifiedAt'
    | 'phoneNumber'
    | 'imageUrl'
    | 'status'
    | 'strongest'
    | 'createdAt'
    | 'updatedAt'
  >
}

const ms = (column: string): string => `extract(epoch from ${column})::float8 * 1000`

/** A moment of the server's, moved to the database's clock: $14 is the server's now. */
const moved = (moment: string): string => `now() + (${moment}::timestamptz - $14::timestamptz)`

/**
 * Tokens of an earlier sign-in still say who it was by: another way to sign in changes nothing, and
 * another provider begins anew. Its time is that of the tokens, not moved.
 */
const sameProvider = `"idp" = coalesce(excluded."idp", "session"."idp"),
    "idp_since" = case when coalesce(excluded."idp", "session"."idp") = "session"."idp" and "session"."account_id" = $2 then "session"."idp_since" else excluded."idp_since" end`

/**
 * Stores the session, for an account that does not change until the end of the statement: a
 * change of its credentials waits for the session, which it will end, or the session waits for the
 * change, and is not opened. An account with a second factor has no session that did not show it,
 * were it turned on a moment ago, but that of a device which is trusted at this moment (TF-07). A recovery that waits is called off: its person can sign in.
 * `tooMany` are those over the cap.
 */
const OPEN = {
  name: 'session-open',
  text: `
with "owner" as (
  select * from "account"
  where "id" = $2 and ($12::int is null or ${stillProven('$12')}) and ($13::timestamptz is not null or "strongest" < ${STRONGEST.two} or ${trustHolds('$17::bytea', '"account"."id"', '"account"."credential_version"')}) for share
), "opened" as (
  insert into "session" ("id", "account_id", "ip", "user_agent", "door", "amr", "acr", "is_remembered", "authenticated_at", "second_proved_at", "created_at", "last_seen_at", "expires_at", "provider_id", "upstream_sid", "trusted_device", "brought_two", "idp", "idp_since")
  select $1, "id", $3, $4, $5, $6, $7, $8, ${moved('$9')}, ${moved('$13')}, now(), now(), ${moved('$10')}, $15, $16, $17, $18, $15, case when $15::varchar is not null then $9::timestamptz end from "owner"
  on conflict ("id") do update set "account_id" = $2, "ip" = $3, "user_agent" = $4, "amr" = $6, "acr" = $7, "is_remembered" = $8, "authenticated_at" = excluded."authenticated_at", "second_proved_at" = excluded."second_proved_at", "last_seen_at" = now(), "expires_at" = excluded."expires_at", "provider_id" = $15, "upstream_sid" = $16, "trusted_device" = $17, "brought_two" = $18, ${sameProvider}
  returning *
), ${callingOff('(select "account_id" from "opened")')}
select ${ms('s."created_at"')} as "openedMs", a."name", a."email", ${ms('a."email_verified_at"')} as "verifiedMs",
  a."phone_number" as "phoneNumber", a."image_url" as "imageUrl", a."status", a."strongest",
  ${ms('a."created_at"')} as "createdMs", ${ms('a."updated_at"')} as "updatedMs",
  exists (select from "called_off") as "hasStoppedRecovery", array(select "id" from "session" where "account_id" = $2 and "id" <> $1 and "expires_at" > now() order by "last_seen_at" desc, "id" offset $11) as "tooMany"
from "opened" s cross join "owner" a`,
}

interface Opened
  extends Pick<Account, 'name' | 'email' | 'phoneNumber' | 'imageUrl' | 'status' | 'strongest'> {
  readonly openedMs: number
  readonly verifiedMs: number | null
  readonly createdMs: number
  readonly updatedMs: number
  readonly hasStoppedRecovery: boolean
  readonly tooMany: readonly string[]
}

/**
 * Throws `invalid_credentials` if there is no such account, or if it is not any more what was
 * proven of it.
 */
export async function openSession(
  pool: Pool,
  session: NewSession,
  origin: RequestOrigin,
): Promise<{
  opened: OpenedSession
  hasStoppedRecovery: boolean
  tooMany: readonly string[]
}> {
  const {
    id,
    accountId,
    door,
    amr,
    acr,
    isRemembered,
    authenticatedAt,
    expiresAt,
    credentialVersion,
    secondProvedAt,
  } = session
  const { ip } = origin
  const userAgent = origin.userAgent.slice(0, 512)
  const seen = [
    id,
    accountId,
    ip,
    userAgent,
    door,
    amr,
    acr ?? null,
    isRemembered,
    authenticatedAt,
    expiresAt,
  ]
  const { rows } = await pool.query<Opened>({
    ...OPEN,
    values: [
      ...seen,
      CAPS.sessionsPerAccount - 1,
      credentialVersion ?? null,
      secondProvedAt ?? null,
      new Date(),
      session.upstream?.providerId ?? null,
      session.upstream?.sid ?? null,
      session.trustedBy ? Buffer.from(session.trustedBy, 'base64url') : null,
      session.broughtTwo === true,
    ],
  })
  const [row] = rows
  if (!row) throw new AppError('invalid_credentials')
  const { openedMs, verifiedMs, createdMs, updatedMs, tooMany, hasStoppedRecovery, ...shown } = row
  const createdAt = new Date(openedMs)
  const account = {
    ...shown,
    id: accountId,
    emailVerifiedAt: verifiedMs === null ? null : new Date(verifiedMs),
    createdAt: new Date(createdMs),
    updatedAt: new Date(updatedMs),
  }
  return {
    opened: { id, ip, userAgent, createdAt, lastSeenAt: createdAt, expiresAt, account },
    hasStoppedRecovery,
    tooMany,
  }
}
