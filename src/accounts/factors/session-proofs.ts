import { LIFETIMES } from '../../config/limits.ts'
import type { EntityManager, Pool } from '../../database/database.ts'
import { STRONGEST, type Strongest } from './levels.ts'

export interface SessionOfClient {
  readonly sessionId: string
  readonly clientId: string
}

const PROVE = `
insert into "session_proof" ("session_id", "client_id", "level", "proved_at")
select "id", ?, ?::smallint, now() from "session" where "id" = ? for key share
on conflict ("session_id", "client_id") do update set "level" = excluded."level", "proved_at" = excluded."proved_at"`
const IS_PROVEN = {
  name: 'step-up-is-proven',
  text: `
select from "session_proof"
where "session_id" = $1 and "client_id" = $2 and "level" >= $3 and "proved_at" > now() - ${LIFETIMES.freshAuthentication} * interval '1 second'`,
}

/** What one client of one session proves lasts for ten minutes, for an account that is as strong. */
export async function prove(
  em: EntityManager,
  { sessionId, clientId }: SessionOfClient,
  level: Strongest,
): Promise<void> {
  await em.execute(PROVE, [clientId, level, sessionId])
}

export async function isProven(
  pool: Pool,
  { sessionId, clientId, strongest }: SessionOfClient & { readonly strongest: Strongest },
): Promise<boolean> {
  const level = Math.max(strongest, STRONGEST.one)
  return (await pool.query({ ...IS_PROVEN, values: [sessionId, clientId, level] })).rowCount === 1
}
