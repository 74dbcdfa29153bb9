import { CAPS } from '../config/limits.ts'
import type { EntityManager } from '../database.ts'

/**
 * What a mail counts against. Mail that anyone can ask for shares one budget per address; every kind of notice has its own, so
 * that asking for codes cannot silence "your password was changed".
 */
export type MailBudget = 'request' | `notice:${string}`

export type Admission = 'granted' | 'over_address_cap' | 'over_server_cap'

export interface MailCapLimits {
  readonly perHour: number
  readonly perDay: number
  readonly perHourGlobal: number
}

/** The server's hourly count is spread over rows, so that one row does not queue up every transaction that mails. */
const SHARDS = 32

/**
 * The last `perDay` mails of an address are rows of `attempt_counter` used in turn, so both windows slide. A caller takes the
 * oldest row if nobody changed it since it was read (its last use travels in `window_started_at`); the loser of a race is refused.
 * Only one row can be the oldest, hence parallel callers never exceed a cap.
 */
const TAKE = `
with "slot" as (
  select "n", sha256(convert_to(? || '#' || "n", 'UTF8')) as "subject" from generate_series(1, ?::int) as "n"
), "used" as (
  select "slot".*, "c"."updated_at" from "slot" left join "attempt_counter" as "c" on "c"."subject" = "slot"."subject" and "c"."factor" = 'mail'
), "oldest" as (
  select "subject", coalesce("updated_at", 'epoch') as "seen" from "used" order by "updated_at" nulls first, "n" limit 1
), "address" as (
  insert into "attempt_counter" as "c" ("subject", "factor", "failures", "window_started_at", "updated_at")
  select "subject", 'mail', 1, "seen", now() from "oldest"
  where "seen" <= now() - interval '1 day' and (select count(*) from "used" where "updated_at" > now() - interval '1 hour') < ?::int
  on conflict ("subject", "factor") do update set "window_started_at" = excluded."window_started_at", "updated_at" = excluded."updated_at"
  where "c"."updated_at" = excluded."window_started_at"
  returning 1
), "server" as (
  insert into "attempt_counter" as "c" ("subject", "factor", "failures", "window_started_at", "updated_at")
  select sha256(convert_to(?, 'UTF8')), 'mail', 1, now(), now() from "address"
  on conflict ("subject", "factor") do update set
    "failures" = case when "c"."window_started_at" <= now() - interval '1 hour' then 1 else "c"."failures" + 1 end,
    "window_started_at" = case when "c"."window_started_at" <= now() - interval '1 hour' then now() else "c"."window_started_at" end,
    "updated_at" = now()
  where "c"."failures" < ?::int or "c"."window_started_at" <= now() - interval '1 hour'
  returning 1
)
select (select count(*) from "address")::int as "address", (select count(*) from "server")::int as "server"`

/** How much mail one address and the whole server may cause (AA-01). Counted in PostgreSQL, in the transaction that mails. */
export class MailCaps {
  readonly #limits: MailCapLimits

  constructor(limits: Partial<MailCapLimits> = {}) {
    this.#limits = { perHour: CAPS.mailsPerHour, perDay: CAPS.mailsPerDay, perHourGlobal: CAPS.mailsPerHourGlobal, ...limits }
  }

  /** Counts one mail to an address, or refuses it. A rollback takes the count back with the mail. */
  async take(em: EntityManager, address: string, budget: MailBudget): Promise<Admission> {
    const { perHour, perDay, perHourGlobal } = this.#limits
    const shards = Math.max(1, Math.min(SHARDS, Math.floor(perHourGlobal / 100)))
    const shard = crypto.getRandomValues(new Uint8Array(1))[0] ?? 0
    const server = `mail:server:${budget.split(':')[0]}:${shard % shards}`
    const [row] = await em.execute<{ address: number; server: number }[]>(TAKE, [
      `mail:${budget}:${address}`,
      perDay,
      perHour,
      server,
      Math.floor(perHourGlobal / shards),
    ])
    if (!row?.address) return 'over_address_cap'
    return row.server ? 'granted' : 'over_server_cap'
  }
}
