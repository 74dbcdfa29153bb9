import { CAPS } from '../config/limits.ts'
import type { EntityManager } from '../database/database.ts'

/**
 * What a mail counts against. Mail that anyone can ask for shares one budget per address; every
 * kind of notice has its own, so that asking for codes cannot silence "your password was changed".
 */
export type MailBudget = 'request' | `notice:${string}`

export type Admission = 'granted' | 'over_address_cap' | 'over_server_cap'

/** Who asks for a mail. */
export interface Asker {
  readonly network: string
  /** The owner of the address, by a name of their own: counted apart from everybody who does not own it. */
  readonly own?: string | undefined
  /** A program, by the form that it sent. */
  readonly isSuspected?: boolean | undefined
}

export interface MailCapLimits {
  readonly perHour: number
  readonly perDay: number
  readonly perHourTogether: number
  readonly perDayTogether: number
  readonly perHourOwn: number
  readonly perHourGlobal: number
  readonly perHourSuspected: number
}

const LIMITS: MailCapLimits = {
  perHour: CAPS.mailsPerHour,
  perDay: CAPS.mailsPerDay,
  perHourTogether: CAPS.mailsPerHourTogether,
  perDayTogether: CAPS.mailsPerDayTogether,
  perHourOwn: CAPS.mailsPerHourOwn,
  perHourGlobal: CAPS.mailsPerHourGlobal,
  perHourSuspected: CAPS.mailsPerHourSuspected,
}

interface Bucket {
  readonly key: string
  readonly perHour: number
  readonly perDay: number
}

/**
 * The server's hourly count is spread over rows, so that one row does not queue up every
 * transaction that mails.
 */
const SHARDS = 32

const HOUR_MS = 3_600_000

/**
 * The last `perDay` mails of a bucket are rows of `attempt_counter` used in turn, so both windows
 * slide. A caller takes the oldest row of each bucket if nobody changed it since it was read (its
 * last use travels in `window_started_at`); the loser of a race is refused. Only one row can be the
 * oldest, hence parallel callers never exceed a cap. Buckets are taken in one order: nobody waits
 * in a circle.
 */
const TAKE = `
with "bucket" as (
  select "place", "b"->>'key' as "key", ("b"->>'perDay')::int as "per_day", ("b"->>'perHour')::int as "per_hour"
  from jsonb_array_elements(?::jsonb) with ordinality as "e" ("b", "place")
), "used" as (
  select "b"."place", "b"."per_hour", "n", "s"."subject", "c"."updated_at"
  from "bucket" as "b" cross join generate_series(1, "b"."per_day") as "n"
  cross join lateral (select sha256(convert_to("b"."key" || '#' || "n", 'UTF8')) as "subject") as "s"
  left join "attempt_counter" as "c" on "c"."subject" = "s"."subject" and "c"."factor" = 'mail'
), "oldest" as (
  select distinct on ("place") "place", "subject", coalesce("updated_at", 'epoch') as "seen", coalesce("updated_at", 'epoch') <= now() - interval '1 day'
    and (select count(*) from "used" as "u" where "u"."place" = "used"."place" and "u"."updated_at" > now() - interval '1 hour') < "per_hour" as "is_free"
  from "used" order by "place", "updated_at" nulls first, "n"
), "taken" as (
  insert into "attempt_counter" as "c" ("subject", "factor", "failures", "window_started_at", "updated_at")
  select "subject", 'mail', 1, "seen", now() from "oldest" where (select bool_and("is_free") from "oldest") order by "place"
  on conflict ("subject", "factor") do update set "window_started_at" = excluded."window_started_at", "updated_at" = excluded."updated_at"
  where "c"."updated_at" = excluded."window_started_at"
  returning 1
), "server" as (
  insert into "attempt_counter" as "c" ("subject", "factor", "failures", "window_started_at", "updated_at")
  select sha256(convert_to(?, 'UTF8')), 'mail', 1, now(), now() where (select count(*) from "taken") = (select count(*) from "bucket")
  on conflict ("subject", "factor") do update set
    "failures" = case when "c"."window_started_at" <= now() - interval '1 hour' then 1 else "c"."failures" + 1 end,
    "window_started_at" = case when "c"."window_started_at" <= now() - interval '1 hour' then now() else "c"."window_started_at" end,
    "updated_at" = now()
  where "c"."failures" < ?::int or "c"."window_started_at" <= now() - interval '1 hour'
  returning "failures"
)
select (select count(*) from "taken") = (select count(*) from "bucket") as "address", (select "failures" from "server") as "server"`

/**
 * How much mail one address and the whole server may cause (AA-01). Counted in PostgreSQL, in the
 * transaction that mails.
 */
export class MailCaps {
  readonly #limits: MailCapLimits
  #halfSpentUntil = 0

  constructor(limits: Partial<MailCapLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits }
  }

  /**
   * Whether half of the mails that anyone can ask for in an hour were spent when one was last
   * counted here, less than an hour ago. Asks nobody.
   */
  isHalfSpent(): boolean {
    return Date.now() < this.#halfSpentUntil
  }

  /** Counts one mail to an address, or refuses it. A rollback takes the count back with the mail. */
  async take(
    em: EntityManager,
    address: string,
    budget: MailBudget,
    asker: Asker,
  ): Promise<Admission> {
    const { isSuspected } = asker
    const perHour = isSuspected ? this.#limits.perHourSuspected : this.#limits.perHourGlobal
    const shards = Math.max(1, Math.min(SHARDS, Math.floor(perHour / 100)))
    const shard = crypto.getRandomValues(new Uint8Array(1))[0] ?? 0
    const kind = isSuspected ? 'suspected' : budget.split(':')[0]
    const server = `mail:server:${kind}:${shard % shards}`
    const buckets = this.#buckets(`mail:${budget}:${address}`, budget, asker)
    const most = Math.floor(perHour / shards)
    const [row] = await em.execute<{ address: boolean; server: number | null }[]>(TAKE, [
      JSON.stringify(buckets),
      server,
      most,
    ])
    if (!row?.address) return 'over_address_cap'
    // Mails are spread evenly, so one row tells of all.
    if (kind === 'request' && (row.server ?? most) * 2 >= most)
      this.#halfSpentUntil = Date.now() + HOUR_MS
    return row.server === null ? 'over_server_cap' : 'granted'
  }

  /**
   * A notice is nobody's request. What an owner asks for is counted by itself; all else by network,
   * and together.
   */
  #buckets(key: string, budget: MailBudget, { network, own }: Asker): Bucket[] {
    const { perHour, perDay, perHourTogether, perDayTogether, perHourOwn } = this.#limits
    if (budget !== 'request') return [{ key, perHour: perHourOwn, perDay: perDayTogether }]
    if (own) return [{ key: `${key}:${own}`, perHour: perHourOwn, perDay: perDayTogether }]
    return [
      { key: `${key}:${network}`, perHour, perDay },
      { key, perHour: perHourTogether, perDay: perDayTogether },
    ]
  }
}
