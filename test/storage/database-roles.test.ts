import { randomBytes } from 'node:crypto'
import { describe, expect, it, jest } from '@jest/globals'
import { openDatabase } from '../../src/database/database.ts'
import { freePort } from '../../src/embedded/free-port.ts'
import { createDatabase, createEmptyDatabase } from '../support/database.ts'
import { asAdmin } from '../support/postgres.ts'

jest.setTimeout(60_000)

const refusal = (url: string, directUrl?: string) =>
  openDatabase({ url, directUrl, pool: 2 }).then(
    () => 'it was opened',
    (error: Error) => error.message,
  )

/** A role that may sign in and nothing else, and what it would type to connect. */
async function withRole(url: string, work: (asRole: string) => Promise<void>): Promise<void> {
  const role = `plain_${randomBytes(4).toString('hex')}`
  await asAdmin(url, (admin) => admin.query(`create role ${role} login password 'secret'`))
  const asRole = new URL(url)
  asRole.username = role
  asRole.password = 'secret'
  try {
    await work(asRole.href)
  } finally {
    await asAdmin(url, async (admin) => {
      await admin.query(`drop owned by ${role}`)
      await admin.query(`drop role ${role}`)
    })
  }
}
const tablesOf = async (url: string) =>
  (
    await asAdmin(url, (admin) =>
      admin.query<{ name: string }>(
        `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
      ),
    )
  ).rows.map(({ name }) => name)

describe('who may do what in the database', () => {
  it('F28 tables of Gatehouse that belong to another role: the owner and the grant are named, nothing is written', async () => {
    const made = await createDatabase()
    const before = await tablesOf(made.url)
    await withRole(made.url, async (url) => {
      expect(await refusal(url)).toMatch(
        /^Tables of Gatehouse in the database \w+ belong to (\w+), and plain_\w+ may not use or change them\. Run there: grant "\1" to "plain_\w+";$/,
      )
      const role = new URL(url).username
      await asAdmin(made.url, (admin) =>
        admin.query(
          `grant select, insert, update, delete on all tables in schema public to ${role}`,
        ),
      )
      // What may use them all may serve, as long as there is nothing to migrate.
      await using database = await openDatabase({ url, pool: 2 })
      expect((await database.pool.query('select from account')).rowCount).toBe(0)
      await database[Symbol.asyncDispose]()
      await asAdmin(made.url, (admin) =>
        admin.query(
          'delete from mikro_orm_migrations where id = (select max(id) from mikro_orm_migrations)',
        ),
      )
      expect(await refusal(url)).toMatch(/belong to \w+, and plain_\w+ may not use or change them/)
    })
    expect(await tablesOf(made.url)).toEqual(before)
    await made.drop()
  })

  it('F28 the right to create tables is asked of the role that migrates', async () => {
    const made = await createEmptyDatabase()
    await withRole(made.url, async (url) => {
      expect(await refusal(url)).toMatch(/^plain_\w+ may not create tables in schema public of/)
      expect(await refusal(made.url, url)).toMatch(/^plain_\w+ may not create tables in schema/)
      await using database = await openDatabase({ url, directUrl: made.url, pool: 2 })
      expect(database.direct.user).toBe(new URL(made.url).username)
    })
    expect(await tablesOf(made.url)).toEqual([])
    await made.drop()
  })

  it('F28 DATABASE_DIRECT_URL is tried and compared at the start: nowhere, another database, a standby', async () => {
    const [one, other] = [await createEmptyDatabase(), await createEmptyDatabase()]
    const nowhere = new URL(one.url)
    nowhere.port = String(await freePort())
    expect(await refusal(one.url, nowhere.href)).toMatch(
      new RegExp(`^The database at .*:${nowhere.port}/.* cannot be used`),
    )
    expect(await refusal(one.url, other.url)).toMatch(
      /^DATABASE_DIRECT_URL \(.*\) is another database than DATABASE_URL's\. Point it at the PostgreSQL behind that pooler/,
    )
    const told: string[] = []
    const patience = { ms: 600, tell: (what: string) => void told.push(what) }
    await expect(
      openDatabase({ url: one.url, directUrl: nowhere.href, pool: 2, patience }),
    ).rejects.toThrow('cannot be used')
    expect(told).toEqual([expect.stringMatching(/^PostgreSQL at .*\(DATABASE_DIRECT_URL\)$/)])
    await using database = await openDatabase({ url: one.url, directUrl: one.url, pool: 2 })
    expect(database.direct.database).toBe(new URL(one.url).pathname.slice(1))
    await database[Symbol.asyncDispose]()
    await Promise.all([one.drop(), other.drop()])
  })
})
