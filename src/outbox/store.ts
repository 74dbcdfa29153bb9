import type { Pool } from '../database/database.ts'
import type { OutboxTopic } from './message.ts'

/**
 * A message held until `lease`, which also fences: who lost the lease can no longer postpone or
 * fail the message.
 */
export interface Leased {
  readonly id: string
  readonly bodyBox: Buffer
  readonly attempt: number
  readonly createdAt: Date
  readonly lease: string
}

interface Row {
  id: string
  body_box: Buffer
  attempts: number
  created_ms: number
  lease: string
}

const LEASE = {
  name: 'outbox-lease',
  text: `
with "due" as materialized (
  select "id" from "outbox_message"
  where "topic" = $1 and "available_at" <= now() and "delivered_at" is null and "failed_at" is null
  order by "available_at", "created_at" limit $2 for update skip locked)
update "outbox_message" as m set "attempts" = m."attempts" + 1, "available_at" = now() + $3 * interval '1 millisecond'
from "due" where m."id" = "due"."id"
returning m."id", m."body_box", m."attempts", (extract(epoch from m."created_at") * 1000)::float8 as "created_ms", m."available_at"::text as "lease"`,
}
const FORGET = {
  name: 'outbox-forget',
  text: 'delete from "outbox_message" where "id" = $1',
}
const KEEP = {
  name: 'outbox-keep',
  text: 'update "outbox_message" set "delivered_at" = now(), "last_error" = null where "id" = $1',
}
const POSTPONE = {
  name: 'outbox-postpone',
  text: `
update "outbox_message" set "available_at" = now() + $3 * interval '1 millisecond', "attempts" = "attempts" - $4, "last_error" = coalesce($5, "last_error")
where "id" = $1 and "available_at" = $2::timestamptz and "delivered_at" is null`,
}
const GIVE_UP = {
  name: 'outbox-give-up',
  text: `
update "outbox_message" set "failed_at" = now(), "last_error" = $3
where "id" = $1 and "available_at" = $2::timestamptz and "delivered_at" is null`,
}

/** The table as a queue that several instances share. All times are the database's. */
export class OutboxStore {
  readonly #pool: Pool
  readonly #keepDelivered: boolean

  constructor(pool: Pool, keepDelivered: boolean) {
    this.#pool = pool
    this.#keepDelivered = keepDelivered
  }

  async lease(topic: OutboxTopic, limit: number, leaseMs: number): Promise<Leased[]> {
    const rows = await this.#query<Row>(LEASE, [topic, limit, leaseMs])
    return rows.map((row) => ({
      id: row.id,
      bodyBox: row.body_box,
      attempt: row.attempts,
      createdAt: new Date(row.created_ms),
      lease: row.lease,
    }))
  }

  /** Unfenced: the message has been delivered, also if another instance holds the lease by now. */
  async delivered({ id }: Leased): Promise<void> {
    await this.#query(this.#keepDelivered ? KEEP : FORGET, [id])
  }

  /** Ends the lease. `countsAttempt: false` when the message itself was not judged. */
  async postpone(
    { id, lease }: Leased,
    delayMs: number,
    { countsAttempt, reason }: { countsAttempt: boolean; reason?: string },
  ): Promise<void> {
    await this.#query(POSTPONE, [id, lease, delayMs, countsAttempt ? 0 : 1, reason ?? null])
  }

  async giveUp({ id, lease }: Leased, reason: string): Promise<void> {
    await this.#query(GIVE_UP, [id, lease, reason])
  }

  async #query<T extends object>(
    statement: { readonly name: string; readonly text: string },
    values: unknown[],
  ): Promise<T[]> {
    return (await this.#pool.query<T>({ ...statement, values })).rows
  }
}
