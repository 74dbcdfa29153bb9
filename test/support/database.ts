import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll } from '@jest/globals'
import type { Json } from './api.ts'
import { asAdmin } from './postgres.ts'
import { ADMIN_URL, TEMPLATE } from './run.ts'
import type { TestServer } from './server.ts'

export interface TestDatabase {
  readonly url: string
  drop(): Promise<void>
}

/** A fresh, migrated database. The caller drops it. */
export async function createDatabase(): Promise<TestDatabase> {
  const template = setting(TEMPLATE)
  const name = `${template}_${randomBytes(6).toString('hex')}`
  await asAdmin(setting(ADMIN_URL), async (client) => {
    await client.query(`create database ${name} template ${template}`)
    await client.query(`alter database ${name} set synchronous_commit = off`)
  })
  return { url: urlOf(name), drop: () => dropDatabase(name) }
}

/** A fresh database with no tables, for tests of the migrations themselves. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const name = `${setting(TEMPLATE)}_${randomBytes(6).toString('hex')}`
  await asAdmin(setting(ADMIN_URL), (client) => client.query(`create database ${name}`))
  return { url: urlOf(name), drop: () => dropDatabase(name) }
}

/** A fresh, migrated database for the tests of this file or `describe`; `url` may be read once they run. */
export function useDatabase(): { readonly url: string } {
  let database: TestDatabase | undefined
  beforeAll(async () => {
    database = await createDatabase()
  })
  afterAll(() => database?.drop())
  return {
    get url() {
      if (!database) throw new Error('useDatabase().url is there from beforeAll on')
      return database.url
    },
  }
}

/** What the database of a server answers to a statement, past the product. */
export const sqlOf =
  (server: Pick<TestServer, 'context'>) =>
  async <T extends object = Json>(text: string, values: unknown[] = []): Promise<T[]> =>
    (await server.context.database.pool.query<T>(text, values)).rows

function dropDatabase(name: string): Promise<void> {
  return asAdmin(setting(ADMIN_URL), async (client) => {
    await client.query(`drop database if exists ${name} with (force)`)
  })
}

function urlOf(name: string): string {
  const url = new URL(setting(ADMIN_URL))
  url.pathname = `/${name}`
  return url.href
}

function setting(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error('Run tests with jest: its global setup starts PostgreSQL')
  return value
}
