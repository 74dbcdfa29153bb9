import type { ClientBase } from 'pg'

/** Whether a connection keeps its PostgreSQL session, or a pooler gives it another for each transaction. */
export type Pooling = 'session' | 'transaction'

/** What every session must have, as PostgreSQL shows it. */
export const SESSION: Readonly<Record<string, string>> = {
  statement_timeout: '5s',
  lock_timeout: '2s',
  // Prepared statements keep the plan of their first uses: one that reads a whole table, made while
  // it was small, would stay.
  enable_seqscan: 'off',
  // Else most of them are planned each time they run, which is half of what they cost.
  plan_cache_mode: 'force_generic_plan',
  // The driver reads no other. What follows the comma is about dates that are written, and we write
  // them in one way only.
  datestyle: 'ISO',
}

const columns = (value: (name: string, wanted: string) => string): string =>
  Object.entries(SESSION)
    .map(([name, wanted]) => `${value(name, wanted)} as "${name}"`)
    .join(', ')
const SET = `select ${columns((name, wanted) => `set_config('${name}', '${wanted}', false)`)}`
export const SHOWN = columns((name) => `current_setting('${name}')`)

/** The parameters of a session; where it is ours alone, they are set first. */
export async function settingsOf(
  client: ClientBase,
  pooling: Pooling,
): Promise<Readonly<Record<string, unknown>>> {
  const { rows } = await client.query<Record<string, unknown>>(
    pooling === 'session' ? SET : `select ${SHOWN}`,
  )
  return rows[0] ?? {}
}

/** Names of the parameters that are not as they must be. */
export function strange(shown: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(SESSION)
    .filter(([name, wanted]) => String(shown[name]).split(',')[0] !== wanted)
    .map(([name]) => name)
}
