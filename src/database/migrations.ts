import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Constructor, MigrationObject } from '@mikro-orm/core'
import type { Migration } from '@mikro-orm/migrations'
import type { MikroORM } from '@mikro-orm/postgresql'
import type { Pool } from 'pg'
import { ADVISORY_LOCKS } from '../config/advisory-locks.ts'
import { StartupError } from '../errors.ts'
import type { Patience } from '../patience.ts'
import { patiently } from './connection.ts'
import { isContended } from './faults.ts'
import { MIGRATIONS } from './orm.ts'

const NAME = /^(Migration\d{14}_\w+)\.ts$/

const POLL_MS = 500
/** Of a migration that meets locks of others. */
const MOST_TRIES = 5
const TRY_LOCK = `select pg_try_advisory_xact_lock(${ADVISORY_LOCKS.migration}) as "isOurs"`
/** Who has it, as PostgreSQL knows. */
const HOLDER = `
select a.pid, coalesce(host(a.client_addr), 'this machine') as "host" from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.database = (select oid from pg_database where datname = current_database())
  and (l.classid::bigint << 32) | l.objid::bigint = ${ADVISORY_LOCKS.migration}`

/**
 * Applies pending migrations one by one, each whole or not at all and in a transaction of its own: what
 * one has locked is free before the next begins, as the version before serves meanwhile. Instances that
 * start together take turns (PostgreSQL advisory lock), and say whom they wait for. A large table may
 * take its time, but a lock that others hold is waited for no longer than by a request: everybody else
 * would queue behind it. It is tried again for a while; a later start goes on where one failed.
 */
export async function applyMigrations(
  orm: MikroORM,
  pool: Pool,
  { tell, signal }: Pick<Patience, 'tell' | 'signal'> = {},
): Promise<void> {
  const connection = orm.em.getConnection()
  let isTold = false
  const applyNext = () =>
    connection.transactional(async (transaction) => {
      const ask = <Row>(statement: string): Promise<Row[]> =>
        connection.execute<Row[]>(statement, [], 'all', transaction)
      // Asked for again and again: a wait within PostgreSQL would outlast a stop.
      while (!(await ask<{ isOurs: boolean }>(TRY_LOCK))[0]?.isOurs) {
        signal?.throwIfAborted()
        if (!isTold) tell?.('the lock of migrations', heldBy(await ask<Holder>(HOLDER)))
        isTold = true
        await sleep(POLL_MS, undefined, signal ? { signal } : {}).catch(() => undefined)
      }
      const [next] = await orm.migrator.getPending()
      if (!next) return false
      await ask('set local statement_timeout = 0')
      await orm.migrator.up({ migrations: [next.name], transaction })
      return true
    })
  await patiently({ pool }, async () => {
    for (let tries = 1, isDone = false; !isDone; ) {
      try {
        isDone = !(await applyNext())
        tries = 1
      } catch (error) {
        if (!isContended(error) || tries++ === MOST_TRIES) throw error
        await sleep(POLL_MS)
      }
    }
  })
}

interface Holder {
  readonly pid: number
  readonly host: string
}

function heldBy([holder]: readonly Holder[]): string {
  return holder
    ? `another instance has it (PostgreSQL's process ${holder.pid}, for ${holder.host}) and migrates the database.`
    : 'another instance migrates the database.'
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
