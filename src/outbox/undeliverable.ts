import type { Pool } from '../database/database.ts'
import type { OutboxTopic } from './message.ts'

/** A message that was given up. Without its body: that holds codes. */
export interface Undeliverable {
  readonly id: string
  readonly attempts: number
  readonly createdAt: Date
  readonly failedAt: Date
  readonly reason: string | null
}

const LIST = `
select "id", "attempts", "created_at" as "createdAt", "failed_at" as "failedAt", "last_error" as "reason"
from "outbox_message" where "topic" = $1 and "failed_at" is not null order by "failed_at", "id"`
const RETRY = `
update "outbox_message" set "failed_at" = null, "attempts" = 0, "available_at" = now()
where "topic" = $1 and "failed_at" is not null and ($2::uuid[] is null or "id" = any($2)) returning "id"`

export async function listUndeliverable(pool: Pool, topic: OutboxTopic): Promise<Undeliverable[]> {
  const { rows } = await pool.query<Undeliverable>(LIST, [topic])
  // The pool leaves times as PostgreSQL writes them.
  return rows.map((row) => ({
    ...row,
    createdAt: new Date(row.createdAt),
    failedAt: new Date(row.failedAt),
  }))
}

/**
 * Gives the messages, all without `ids`, one more life; answers whose it was. Running workers take
 * them with their next poll.
 */
export async function retryUndeliverable(
  pool: Pool,
  topic: OutboxTopic,
  ids?: readonly string[],
): Promise<string[]> {
  return (await pool.query<{ id: string }>(RETRY, [topic, ids ?? null])).rows.map(({ id }) => id)
}
