import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Migration } from '@mikro-orm/migrations'
import { type Database, migrate, openDatabase } from '../src/database.ts'
import { createEmptyDatabase, type TestDatabase } from './support/database.ts'

/** Longer than any other statement may take, and than a connection may be silent. */
const LONG_S = 6.5

describe('migrations', () => {
  let scratch: TestDatabase
  let database: Database

  beforeAll(async () => {
    scratch = await createEmptyDatabase()
    database = await openDatabase({ url: scratch.url, pool: 4 })
    await migrate(database)
  })
  afterAll(async () => {
    await database[Symbol.asyncDispose]()
    await scratch.drop()
  })

  it('bring an empty database to exactly what the entities say', async () => {
    expect(await database.orm.schema.getUpdateSchemaSQL({ wrap: false })).toBe('')
  })

  it('notice a difference between table and entity', async () => {
    await database.pool.query('alter table account drop column name')
    expect(await database.orm.schema.getUpdateSchemaSQL({ wrap: false })).toMatch(/account.*add.*name/)
  })

  it('are applied once when two instances start together', async () => {
    const empty = await createEmptyDatabase()
    const instances = await Promise.all([1, 2].map(() => openDatabase({ url: empty.url, pool: 2 })))
    await Promise.all(instances.map((instance) => migrate(instance)))
    const applied = await instances[0]?.orm.migrator.getExecuted()
    expect(new Set(applied?.map((row) => row.name)).size).toBe(applied?.length)
    for (const instance of instances) await instance[Symbol.asyncDispose]()
    await empty.drop()
  })

  it('have the time that a large table takes, and are applied all or none', async () => {
    const empty = await createEmptyDatabase()
    const instance = await openDatabase({ url: empty.url, pool: 2 })
    const limits = `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock`
    instance.orm.config.set('migrations', {
      ...instance.orm.config.get('migrations'),
      migrationsList: [named('first', `create table seen as ${limits}`), named('second', 'select * from "no such table"')],
    })
    await expect(migrate(instance)).rejects.toThrow('no such table')
    expect((await instance.pool.query(`select to_regclass('seen') as seen`)).rows).toEqual([{ seen: null }])

    instance.orm.config.get('migrations').migrationsList?.splice(1, 1, named('slow', `select pg_sleep(${LONG_S})`))
    await migrate(instance)
    expect((await instance.pool.query('select * from seen')).rows).toEqual([{ statement: '0', lock: '2s' }])
    expect((await instance.pool.query(limits)).rows).toEqual([{ statement: '5s', lock: '2s' }])
    await instance[Symbol.asyncDispose]()
    await empty.drop()
  })
})

function named(name: string, sql: string) {
  return {
    name,
    class: class extends Migration {
      override up(): void {
        this.addSql(sql)
      }
    },
  }
}
