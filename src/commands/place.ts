import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Env, EnvSchema } from '../config/env.ts'
import type { Database } from '../database/database.ts'
import { findHome } from '../embedded/home.ts'
import { StartupError } from '../errors.ts'

const PROGRAM = fileURLToPath(new URL('../..', import.meta.url))
const USUAL = EnvSchema.shape.DATA_DIR.parse(undefined)

/**
 * The settings of a command, with the data folder of the server that it is about: the one in this
 * folder, or else the one in the program's folder, where `npm start` makes it. A command makes none: a
 * second one would answer as if it were the first.
 */
export function placed(env: Env): Env {
  const isComplete =
    env.DATABASE_URL !== undefined &&
    env.COOKIE_KEYS !== undefined &&
    env.KEY_ENCRYPTION_KEYS !== undefined
  if (isComplete) return env
  const folders = [env.DATA_DIR, ...(env.DATA_DIR === USUAL ? [join(PROGRAM, USUAL)] : [])].map(
    (folder) => resolve(folder),
  )
  const found = folders.find((folder) => hasData(folder, env))
  if (found) return { ...env, DATA_DIR: found }
  throw new StartupError(
    `There is no Gatehouse in ${[...new Set(folders)].join(' or ')}. Set DATA_DIR to the folder of its data, or DATABASE_URL, COOKIE_KEYS and KEY_ENCRYPTION_KEYS as the server has them.`,
  )
}

function hasData(folder: string, { DATABASE_URL }: Env): boolean {
  if (!existsSync(join(folder, 'secrets.json'))) return false
  return DATABASE_URL !== undefined || existsSync(findHome(folder)?.cluster ?? '')
}

/**
 * Refuses a database that no server has been started on, or only an older one: a command changes no
 * schema.
 */
export async function expectServersSchema({ orm, pool }: Database): Promise<void> {
  const { rows } = await pool.query<{ found: string | null }>(
    `select to_regclass('mikro_orm_migrations')::text as found`,
  )
  if (!rows[0]?.found)
    throw new StartupError('There is no Gatehouse in this database. Start the server on it first.')
  if ((await orm.migrator.getPending()).length > 0)
    throw new StartupError(
      'The database is older than this program. Run "gatehouse migrate" first, or start the server.',
    )
}
