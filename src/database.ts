import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Migrator } from '@mikro-orm/migrations'
import { type EntityManager, MikroORM, type Options } from '@mikro-orm/postgresql'
import type { Client, Pool, PoolClient } from 'pg'
import { entities } from './entities/index.ts'
import { StartupError } from './errors.ts'

export type { EntityManager, MikroORM, Pool }

/** Absolute: the server may be started from any folder. */
const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))

/** Any 64-bit number will do, as long as every release uses the same. */
const MIGRATION_LOCK = 6_842_173_905_114n

/** Milliseconds that a statement may take. */
const STATEMENT_MS = 5000
/** Milliseconds without a word, of a server that would have cut off the statement before. */
const SILENCE_MS = STATEMENT_MS + 1000

export interface DatabaseOptions {
  readonly url: string
  readonly pool: number
}

/** MikroORM settings shared by the server, the CLI and `mikro-orm.config.ts`. */
export function ormOptions({ url, pool }: DatabaseOptions): Options {
  return {
    clientUrl: url,
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
      // A start writes nothing beside the program: its folder may be read-only, and the database may have tables of others.
      snapshotOnMigrate: false,
      silent: true,
    },
    // Written in migrations by hand: the guard of the audit trail.
    schemaGenerator: { ignoreTriggers: true, ignoreRoutines: true },
    pool: { min: 0, max: pool },
    discovery: { warnWhenNoEntities: false },
    // A misspelt name is a fault to be told, not a new and empty database.
    ensureDatabase: false,
    driverOptions: {
      connectionTimeoutMillis: 5000,
      statement_timeout: STATEMENT_MS,
      lock_timeout: 2000,
      application_name: 'gatehouse',
      // Prepared statements keep the plan of their first uses: one that reads a whole table, made while it was small, would stay.
      options: '-c enable_seqscan=off',
    },
  } as Options
}

/** The one connection pool: MikroORM for use cases, `pool` for the prepared statements of the hot paths. */
export interface Database extends AsyncDisposable {
  readonly orm: MikroORM
  readonly em: EntityManager
  readonly pool: Pool
}

export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const orm = await MikroORM.init(ormOptions(options))
  try {
    const pool = await orm.em.getConnection().getNativeClient()
    giveUpTheDead(pool)
    await pool.query('select 1')
    return { orm, em: orm.em, pool, [Symbol.asyncDispose]: () => orm.close(true) }
  } catch (cause) {
    await orm.close(true)
    throw new StartupError(`The database at ${redacted(options.url)} cannot be used: ${reason(cause)}`, { cause })
  }
}

/**
 * Gives up connections that are dead. Without it
 * - one whose server or network is gone is found out by the system in a quarter of an hour: now, by its silence while somebody waits;
 * - one that is lost within a transaction stays taken for ever, as Kysely forgets it when BEGIN or ROLLBACK fail (its issue 1990).
 * Whoever waits is told (503), and nobody is given it again.
 */
function giveUpTheDead(pool: Pool): void {
  const taken = new Set<PoolClient>()
  pool.on('connect', (client) => {
    const socket = socketOf(client)
    socket.on('timeout', () => socket.destroy(Object.assign(new Error('The database does not answer'), { code: 'ETIMEDOUT' })))
    socket.on('close', () => {
      if (!taken.has(client)) return
      client.release(true)
      client.release = () => undefined
    })
  })
  pool.on('acquire', (client) => {
    taken.add(client)
    socketOf(client).setTimeout(SILENCE_MS)
  })
  pool.on('release', (_error, client) => {
    taken.delete(client)
    bePatient(client)
  })
}

function bePatient(client: PoolClient): void {
  socketOf(client).setTimeout(0)
}

/** Work whose statements may take longer than those of a request. */
export async function patiently<T>({ pool }: Pick<Database, 'pool'>, work: () => Promise<T>): Promise<T> {
  pool.on('acquire', bePatient)
  try {
    return await work()
  } finally {
    pool.off('acquire', bePatient)
  }
}

function socketOf(client: PoolClient): Socket {
  return (client as unknown as Client).connection.stream as Socket
}

/**
 * Applies pending migrations, all or none; instances that start together take turns (PostgreSQL advisory lock). A large table may take
 * its time, but a lock that others hold is waited for no longer than by a request: everybody else would queue behind it.
 */
export async function migrate({ orm, pool }: Database): Promise<void> {
  const connection = orm.em.getConnection()
  pool.on('acquire', bePatient)
  try {
    await connection.transactional(async (transaction) => {
      const run = (statement: string) => connection.execute(statement, [], 'run', transaction)
      await run('set local statement_timeout = 0')
      await run('set local lock_timeout = 0')
      await run(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`)
      await run('set local lock_timeout to default')
      await orm.migrator.up({ transaction })
    })
  } finally {
    pool.off('acquire', bePatient)
  }
}

/** All of `work`'s statements or none, without the ORM. A connection whose state is not known is closed. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
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

function redacted(url: string): string {
  const { hostname, port, pathname } = new URL(url)
  return `${hostname}${port ? `:${port}` : ''}${pathname}`
}

function reason(cause: unknown): string {
  const code = (cause as { code?: string }).code
  if (code === 'ECONNREFUSED') return 'nothing listens there.'
  if (code === '28P01' || code === '28000') return 'it refuses the user name or password.'
  if (code === '3D000') return 'it has no database of that name.'
  if (code === 'ENOTFOUND') return 'the host name does not resolve.'
  return `${cause instanceof Error && cause.message ? cause.message : String(code ?? cause)}.`
}

/** SQLSTATEs and socket errors of a database that cannot be used now: connection, resources, shutdown, timeout, lock, deadlock, read-only. */
const UNAVAILABLE_CODE = /^(?:08|53|57P|57014|55P03|40P01|40001|25006|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN)/
/** What `pg` says without a code. */
const UNAVAILABLE_MESSAGE =
  /timeout exceeded when trying to connect|Connection terminated|not queryable|not currently accepting connections/

/** Whether the fault is the database's and may pass (503), rather than ours (500). */
export function isUnavailable(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  if (typeof code === 'string' && UNAVAILABLE_CODE.test(code)) return true
  return typeof message === 'string' && UNAVAILABLE_MESSAGE.test(message)
}
