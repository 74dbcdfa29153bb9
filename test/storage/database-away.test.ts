import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { asAdmin } from '../support/postgres.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** What an app, a browser and a mobile app ask for; none of it can be answered without the database. */
const ASKED: readonly (readonly [path: string, accept: string, form: Record<string, string> | undefined])[] = [
  ['/token', 'application/json', { grant_type: 'client_credentials' }],
  ['/token/introspection', 'application/json', { token: 'x'.repeat(43) }],
  ['/token/revocation', 'application/json', { token: 'x'.repeat(43) }],
  ['/auth?response_type=code', 'text/html', undefined],
  ['/auth?response_type=code', 'application/json', undefined],
]

describe('F09 the database goes away and comes back', () => {
  let database: TestDatabase
  let server: TestServer
  beforeAll(async () => {
    database = await createDatabase()
    server = await startServer({ database })
  })
  afterAll(async () => {
    await server?.stop()
    await database?.drop()
  })

  it.each(ASKED)('F09 %s (%s) answers 503 with Retry-After, never 500, and needs no restart', async (path, accept, form) => {
    // An id of its own each time: what is remembered needs no database.
    const ask = (id = randomUUID()) =>
      fetch(`${server.origin}${path}${form ? '' : `&client_id=${id}`}`, {
        method: form ? 'POST' : 'GET',
        redirect: 'manual',
        headers: { accept, authorization: `Basic ${Buffer.from(`${id}:secret`).toString('base64')}` },
        ...(form ? { body: new URLSearchParams(form) } : {}),
      })
    const before = (await ask()).status
    expect(before).toBeLessThan(500)
    await allowConnections(false)
    try {
      const answer = await ask()
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    } finally {
      await allowConnections(true)
    }
    expect((await ask()).status).toBe(before)
  })

  async function allowConnections(allowed: boolean): Promise<void> {
    const url = new URL(database.url)
    const name = url.pathname.slice(1)
    url.pathname = '/postgres'
    await asAdmin(url.href, async (client) => {
      await client.query(`alter database ${name} with allow_connections ${allowed}`)
      if (!allowed) await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
    })
  }
})
