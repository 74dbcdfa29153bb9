import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { api, type SignedIn, signedIn, startApi } from '../support/api.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { note } from '../support/notes.ts'
import { asAdmin } from '../support/postgres.ts'
import type { TestServer } from '../support/server.ts'
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const POOL = 4

describe('dead connections to the database', () => {
  let database: TestDatabase
  let proxy: TcpProxy
  let server: TestServer
  let person: SignedIn
  beforeAll(async () => {
    database = await createDatabase()
    const url = new URL(database.url)
    proxy = await startProxy({ host: url.hostname, port: Number(url.port) })
    url.port = String(proxy.port)
    server = await startApi({
      database: { url: url.href },
      config: { database: { url: url.href, pool: POOL, embedded: false } },
    })
    person = await signedIn(server)
  })
  afterAll(async () => {
    await proxy?.heal()
    await server?.stop()
    await proxy?.[Symbol.asyncDispose]()
    await database?.drop()
  })

  /** Single statements and the transactions of the ORM; with the status of each where nothing is wrong. */
  const asked = () =>
    [
      [api(server, 'POST /user/me', undefined, { token: person.token }), 200],
      [api(server, 'GET /user/sessions', undefined, { token: person.token }), 200],
      [api(server, 'PATCH /edit/basic', { name: 'Ada' }, { token: person.token }), 200],
      [api(server, 'PATCH /forgot/password', { email: person.email }), 202],
    ] as const
  const flood = async () =>
    Promise.all(
      Array.from({ length: POOL }, asked)
        .flat()
        .map(([answer]) => answer),
    )
  const status = async (path: string) => (await fetch(`${server.origin}${path}`)).status

  async function expectAllAsBefore(): Promise<void> {
    await eventually(() => status('/health/ready'), 200)
    for (const [answer, usual] of Array.from({ length: POOL }, asked).flat())
      expect((await answer).status).toBe(usual)
    const { pool } = server.context.database
    await eventually(() => pool.totalCount - pool.idleCount, 0)
    const open = `select from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`
    await eventually(async () => (await pool.query(open)).rowCount, 0)
  }

  it.each<[string, () => void, () => unknown]>([
    ['is silent', () => proxy.hang(), () => proxy.heal()],
    ['answers after half a minute', () => proxy.delay(30_000), () => proxy.delay(0)],
  ])(
    'F09 F12 F29 a database that %s: whoever waits gets 503 and Retry-After, the rest goes on, back without a restart',
    async (_name, fail, mend) => {
      await flood()
      fail()
      const begun = performance.now()
      const waiting = flood()
      for (const path of ['/health/live', '/.well-known/openid-configuration', '/jwks'])
        expect(await status(path)).toBe(200)
      expect(await status('/health/ready')).toBe(503)
      for (const answer of await waiting)
        expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
      note('silent database', `slowest refusal ${Math.round(performance.now() - begun)} ms`)
      await mend()
      await expectAllAsBefore()
    },
    60_000,
  )

  it('F09 connections that are lost twenty times under load, within transactions too, leave none of the pool taken', async () => {
    const name = new URL(database.url).pathname.slice(1)
    for (let round = 0; round < 20; round += 1) {
      const answers = flood()
      await asAdmin(database.url, (admin) =>
        admin.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()',
          [name],
        ),
      )
      for (const answer of await answers)
        if (answer.status >= 500)
          expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    }
    await expectAllAsBefore()
  })

  it('F25 a stop while the database is silent comes to its end', async () => {
    await flood()
    proxy.hang()
    const begun = performance.now()
    await server.stop()
    note('silent database', `stopped in ${Math.round(performance.now() - begun)} ms`)
    // As long as docs/operations.md asks supervisors to wait.
  }, 45_000)
})
