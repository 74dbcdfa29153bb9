import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Constructor, MigrationObject } from '@mikro-orm/core'
import type { Migration } from '@mikro-orm/migrations'
import type { MikroORM } from '@mikro-orm/postgresql'
import type { Pool } from 'pg'
import { StartupError } from '../errors.ts'
import { patiently } from './connection.ts'
import { MIGRATIONS } from './orm.ts'

/** Any 64-bit number will do, as long as every release uses the same. */
const MIGRATION_LOCK = 6_842_173_905_114n
const NAME = /^(Migration\d{14}_\w+)\.ts$/

/**
 * Applies pending migrations, all or none; instances that start together take turns (PostgreSQL
 * advisory lock). A large table may take its time, but a lock that others hold is waited for no
 * longer than by a request: everybody else would queue behind it.
 */
export async function applyMigrations(orm: MikroORM, pool: Pool): Promise<void> {
  const connection = orm.em.getConnection()
  await patiently({ pool }, () =>
    connection.transactional(async (transaction) => {
      const run = (statement: string) => connection.execute(statement, [], 'run', transaction)
      await run('set local statement_timeout = 0')
      await run('set local lock_timeout = 0')
      await run(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`)
      await run(`set local lock_timeout = '2s'`)
      await orm.migrator.up({ transaction })
    }),
  )
}

/**
 * By name and not by pattern: the folder of the program may be called anything. None at all is a
 * broken installation.
 */
export async function listMigrations(): Promise<MigrationObject[]> {
  const names = readdirSync(MIGRATIONS).flatMap((file) => NAME.exec(file)?.[1] ?? [])
  if (names.length === 0)
    throw new StartupError(
      `There are no migrations in ${MIGRATIONS}: this installation of Gatehouse is not complete.`,
    )
  return Promise.all(
    names.toSorted().map(async (name) => {
      const found = (await import(pathToFileURL(join(MIGRATIONS, `${name}.ts`)).href)) as Record<
        string,
        Constructor<Migration>
      >
      const [migration] = Object.values(found)
      if (!migration)
        throw new StartupError(
          `The migration ${name} cannot be read: this installation of Gatehouse is not complete.`,
        )
      return { name, class: migration }
    }),
  )
}
