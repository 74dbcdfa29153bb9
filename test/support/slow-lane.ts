import type { TestServer } from './server.ts'

/** A mail that waits for a minute; what another instance has in hand does not. */
const WAITS = `extract(epoch from "available_at" - "created_at") between 55 and 61`

/** How many mails wait in the slow lane; they are taken out of it. */
export async function takeWaiting({ context }: Pick<TestServer, 'context'>): Promise<number> {
  await context.worker.drain()
  const taken = await context.database.pool.query(`delete from "outbox_message" where ${WAITS}`)
  return taken.rowCount ?? 0
}
