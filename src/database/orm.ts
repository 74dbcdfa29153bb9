import { fileURLToPath } from 'node:url'
import type { MigrationObject } from '@mikro-orm/core'
import { Migrator } from '@mikro-orm/migrations'
import type { Options } from '@mikro-orm/postgresql'
import type { DatabaseTarget } from '../config/database-url.ts'
import { entities } from '../entities/index.ts'
import type { caring } from './connection.ts'
import { clientConfig } from './connection.ts'

/** Absolute: the server may be started from any folder. */
export const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url))

/**
 * MikroORM settings shared by the server, the CLI and `mikro-orm.config.ts`. Connections are made
 * of the target and nothing else.
 */
export function ormOptions(
  target: DatabaseTarget,
  pool: number,
  care?: ReturnType<typeof caring>,
  list?: MigrationObject[],
): Options {
  const { host, port, user, database } = target
  return {
    host,
    port,
    user,
    dbName: database,
    entities,
    extensions: [Migrator],
    migrations: {
      path: MIGRATIONS,
      pathTs: MIGRATIONS,
      glob: '*.ts',
      emit: 'ts',
      snapshot: true,
      snapshotName: '.snapshot',
      transactional: true,
      // A start writes nothing into the program's folder: its folder may be read-only, and the database
      // may have tables of others.
      snapshotOnMigrate: false,
      silent: true,
      ...(list ? { migrationsList: list } : {}),
    },
    // Written in migrations by hand: the guard of the audit trail.
    schemaGenerator: { ignoreTriggers: true, ignoreRoutines: true },
    pool: { min: 0, max: pool },
    discovery: { warnWhenNoEntities: false },
    // A misspelt name is a fault to be told, not a new and empty database.
    ensureDatabase: false,
    driverOptions: { ...clientConfig(target), ...(care ? { onConnect: care.onConnect } : {}) },
  } as Options
}
