import { secondsAgo } from '../../database/clock.ts'
import type { Pool } from '../../database/database.ts'
import { trustHolds } from '../../entities/known-device.ts'
import { stillVouches } from '../../entities/provider.ts'
import { type SessionLevel, type Shown, sessionLevelOf } from './session-level.ts'

export interface LiveSession extends Shown {
  readonly level: SessionLevel
}

/** How long a last-seen time may be out of date: one write per session and minute is enough for a person. */
export const SEEN_RESOLUTION_SECONDS = 60

const TOUCH = {
  name: 'session-touch',
  text: 'update "session" set "last_seen_at" = now() where "id" = $1',
}
const LIVE = {
  name: 'session-live',
  text: `
select extract(epoch from now() - s."authenticated_at")::float8 as "authenticatedAgo",
  extract(epoch from now() - s."second_proved_at")::float8 as "secondProvedAgo", array_to_string(s."amr", ' ') as "amr", a."strongest",
  ${trustHolds('s."trusted_device"', 'a."id"', 'a."credential_version"')} as "isTrusted",
  s."brought_two" and ${stillVouches('s."provider_id"', 'a."id"')} as "isVouched",
  s."last_seen_at" < now() - ${SEEN_RESOLUTION_SECONDS} * interval '1 second' as "isStale"
from "session" s join "account" a on a."id" = s."account_id"
where s."id" = $1 and s."account_id"::text = $2 and s."expires_at" > now() and a."status" = 'active' and not a."must_reset_password"`,
}
const IS_VOUCHED = {
  name: 'session-is-vouched',
  text: `
select from "session" s where s."id" = $1 and s."brought_two" and ${stillVouches('s."provider_id"', 's."account_id"')}`,
}
interface Live {
  readonly authenticatedAgo: number
  readonly secondProvedAgo: number | null
  readonly amr: string
  readonly isTrusted: boolean
  readonly isVouched: boolean
  readonly strongest: Shown['strongest']
  readonly isStale: boolean
}

/** See `Sessions.findLive`. */
export async function findLive(
  pool: Pool,
  id: string,
  accountId: string,
): Promise<LiveSession | undefined> {
  const { rows } = await pool.query<Live>({ ...LIVE, values: [id, accountId] })
  const [row] = rows
  if (!row) return undefined
  if (row.isStale) await pool.query({ ...TOUCH, values: [id] })
  const shown = {
    strongest: row.strongest,
    secondProvedAt: row.secondProvedAgo === null ? undefined : secondsAgo(row.secondProvedAgo),
  }
  return {
    ...shown,
    authenticatedAt: secondsAgo(row.authenticatedAgo),
    level: sessionLevelOf({ ...row, ...shown, amr: row.amr.split(' ') }),
  }
}

/** See `Sessions.isVouched`. */
export async function isVouched(pool: Pool, id: string): Promise<boolean> {
  return (await pool.query({ ...IS_VOUCHED, values: [id] })).rowCount === 1
}
