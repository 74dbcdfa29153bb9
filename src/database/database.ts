import { setTimeout as sleep } from 'node:timers/promises'
import type { MigrationObject } from '@mikro-orm/core'
import { type EntityManager, MikroORM } from '@mikro-orm/postgresql'
import type { ClientConfig, Pool, PoolClient } from 'pg'
import { type DatabaseTarget, nameOfDatabase, parseDatabaseUrl } from '../config/database-url.ts'
import { StartupError } from '../errors.ts'
import { AT_ONCE, type Patience, waitFor } from '../patience.ts'
import { caring, clientConfig, patiently } from './connection.ts'
import { checkFacts } from './facts.ts'
import { isUnavailable, reason } from './faults.ts'
import { applyMigrations, listMigrations } from './migrations.ts'
import { ormOptions } from './orm.ts'
import { poolingOf } from './pooling.ts'
import type { Pooling } from './session.ts'

/** Milliseconds that statements under way have when all else has ended. */
const CLOSE_MS = 1000

export type { EntityManager, MikroORM, Pool }
export { isUnavailable, patiently }

export interface DatabaseOptions {
  readonly url: string
  readonly pool: number
  /**
   * PostgreSQL itself, where `url` is a pooler: for what holds a session (notifications, locks,
   * migrations).
   */
  readonly directUrl?: string | undefined
  readonly patience?: Patience
}

/** The one connection pool: MikroORM for use cases, `pool` for the prepared statements of the hot paths. */
export interface Database extends AsyncDisposable {
  readonly orm: MikroORM
  readonly em: EntityManager
  readonly pool: Pool
  /** For a connection of one's own that keeps its session. */
  readonly direct: ClientConfig
  readonly migrate: () => Promise<void>
}

/** Throws `StartupError` with what is wrong and what to do, once the patience is over. */
export async function openDatabase({
  url,
  directUrl,
  pool: most,
  patience = AT_ONCE,
}: DatabaseOptions): Promise<Database> {
  const target = read('DATABASE_URL', url)
  const direct = directUrl === undefined ? target : read('DATABASE_DIRECT_URL', directUrl)
  let asked = target
  const found = (each: DatabaseTarget, label: string, hasDirect: boolean): Promise<Pooling> => {
    asked = each
    return waitFor(`PostgreSQL at ${label}`, () => poolingOf(each, { hasDirect }), {
      patience,
      whyPassing: (error) => (isUnavailable(error) ? reason(error) : undefined),
    })
  }
  try {
    await using undo = new AsyncDisposableStack()
    const hasDirect = direct !== target
    const pooling = await found(target, nameOfDatabase(target), hasDirect)
    if (hasDirect) await found(direct, `${nameOfDatabase(direct)} (DATABASE_DIRECT_URL)`, false)
    const migrations = await listMigrations()
    const { orm, pool, close } = await openPool(target, most, { pooling, migrations })
    undo.defer(close)
    const tables = [...orm.getMetadata().getAll().values()].map(({ tableName }) => tableName)
    const names = migrations.map(({ name }) => name)
    await checkFacts({ pool, target, direct, tables, migrations: names })
    const migrateHere = async () => {
      if (!hasDirect) return applyMigrations(orm, pool, patience)
      const other = await openPool(direct, 2, { pooling: 'session', migrations })
      try {
        await applyMigrations(other.orm, other.pool, patience)
      } finally {
        await other.close()
      }
    }
    const owned = undo.move()
    return {
      orm,
      em: orm.em,
      pool,
      direct: clientConfig(direct),
      migrate: migrateHere,
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  } catch (cause) {
    if (cause instanceof StartupError || patience.signal?.aborted) throw cause
    throw new StartupError(
      `The database at ${nameOfDatabase(asked)} cannot be used: ${reason(cause)}`,
      { cause },
    )
  }
}

async function openPool(
  target: DatabaseTarget,
  most: number,
  { pooling, migrations }: { readonly pooling: Pooling; readonly migrations: MigrationObject[] },
): Promise<{ orm: MikroORM; pool: Pool; close: () => Promise<void> }> {
  const care = caring(pooling)
  const orm = await MikroORM.init(ormOptions(target, most, care, migrations))
  const pool = await orm.em.getConnection().getNativeClient()
  care.watch(pool)
  const close = async (): Promise<void> => {
    const closed = orm.close(true)
    if (await Promise.race([closed.then(() => true), sleep(CLOSE_MS, false, { ref: false })]))
      return
    care.abandon()
    await Promise.race([closed, sleep(CLOSE_MS, undefined, { ref: false })])
  }
  return { orm, pool, close }
}

function read(setting: string, url: string): DatabaseTarget {
  try {
    return parseDatabaseUrl(url)
  } catch (error) {
    throw new StartupError(`${setting} ${(error as Error).message}`, { cause: error })
  }
}

/** All of `work`'s statements or none, without the ORM. A connection whose state is not known is closed. */
export async function inTransaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  let isClean = false
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    isClean = true
    return result
  } catch (error) {
    isClean = await client.query('rollback').then(
      () => true,
      () => false,
    )
    throw error
  } finally {
    client.release(!isClean)
  }
}
