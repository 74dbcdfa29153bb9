import type { Env } from '../config/env.ts'
import { prepare } from '../prepare.ts'
import type { Answer } from './answer.ts'
import { placed } from './place.ts'

/** Applies pending migrations and ends; instances that run it together take turns. */
export async function migrateCommand(env: Env): Promise<Answer> {
  await using resources = new AsyncDisposableStack()
  const { database } = await prepare(env.DATABASE_URL === undefined ? placed(env) : env, resources)
  await database.migrate()
  return { lines: ['The database schema is up to date.'], json: { schema: 'current' } }
}
