import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Database, migrate, openDatabase } from '../src/database.ts'
import { createEmptyDatabase, type TestDatabase } from './support/database.ts'

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
})
