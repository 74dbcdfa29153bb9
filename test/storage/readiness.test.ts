import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { asAdmin } from '../support/postgres.ts'
import { startServer, type TestServer } from '../support/server.ts'

describe('readiness', () => {
  let database: TestDatabase
  let server: TestServer
  beforeAll(async () => {
    database = await createDatabase()
    server = await startServer({ database })
  })
  afterAll(async () => {
    await server.stop()
    await database.drop()
  })

  const status = async (path: string) => (await fetch(`${server.origin}/health/${path}`)).status
  const name = () => new URL(database.url).pathname.slice(1)
  const cutOff = (admin: { query: (text: string, values: unknown[]) => Promise<unknown> }) =>
    admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()',
      [name()],
    )

  it('F10 fails while the database takes no writes, though it answers reads, and comes back by itself', async () => {
    expect(await status('ready')).toBe(200)
    await asAdmin(database.url, async (admin) => {
      await admin.query(`alter database ${name()} set default_transaction_read_only = on`)
      await cutOff(admin)
    })
    await eventually(() => status('ready'), 503)
    expect((await server.context.database.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect(await status('live')).toBe(200)
    await asAdmin(database.url, async (admin) => {
      await admin.query('set default_transaction_read_only = off')
      await admin.query(`alter database ${name()} reset default_transaction_read_only`)
      await cutOff(admin)
    })
    await eventually(() => status('ready'), 200)
  })

  it('F11 does not flap when the pool is full', async () => {
    const { pool } = server.context.database
    const all = Array.from({ length: pool.options.max }, () => pool.query('select pg_sleep(3)'))
    const waiting = pool.query('select 1')
    for (let asked = 0; asked < 8; asked += 1) {
      expect(await status('ready')).toBe(200)
      await sleep(250)
    }
    expect(pool.waitingCount).toBeGreaterThan(0)
    await Promise.all([...all, waiting])
  })

  it('F26 asks the database once for many who ask at once', async () => {
    const { rows } = await server.context.database.pool.query<{ xmin: string }>(
      'select xmin::text from server_state',
    )
    await sleep(300)
    const answers = await Promise.all(Array.from({ length: 50 }, () => status('ready')))
    expect(new Set(answers)).toEqual(new Set([200]))
    const after = await server.context.database.pool.query<{ xmin: string }>(
      'select xmin::text from server_state',
    )
    expect(Number(after.rows[0]?.xmin) - Number(rows[0]?.xmin)).toBeGreaterThan(0)
    const { rows: open } = await server.context.database.pool.query(
      `select from pg_stat_activity where datname = current_database() and query like 'update server_state%'`,
    )
    expect(open.length).toBeLessThanOrEqual(1)
  })
})
