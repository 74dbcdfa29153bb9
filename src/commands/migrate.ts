import type { Env } from '../config/env.ts'
import { migrate } from '../database.ts'
import { prepare } from '../main.ts'

/** Applies pending migrations and ends; instances that run it together take turns. */
export async function migrateCommand(env: Env): Promise<void> {
  await using resources = new AsyncDisposableStack()
  const { database } = await prepare(env, resources)
  await migrate(database)
  process.stdout.write('The database schema is up to date.\n')
}
