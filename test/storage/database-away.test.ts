import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { asAdmin } from '../support/postgres.ts'
import { signedInApp } from '../support/protocol.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** What an app, a browser and a mobile app ask for; none of it can be answered without the database. */
const ASKED: readonly (readonly [
  path: string,
  accept: string,
  form: Record<string, string> | undefined,
])[] = [
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

  it.each(ASKED)(
    'F09 %s (%s) answers 503 with Retry-After, never 500, and needs no restart',
    async (path, accept, form) => {
      // An id of its own each time: what is remembered needs no database.
      const ask = (id = randomUUID()) =>
        fetch(`${server.origin}${path}${form ? '' : `&client_id=${id}`}`, {
          method: form ? 'POST' : 'GET',
          redirect: 'manual',
          headers: {
            accept,
            authorization: `Basic ${Buffer.from(`${id}:secret`).toString('base64')}`,
          },
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
    },
  )

  it('TK-01 TK-03 TK-10 a code or refresh token whose successor cannot be stored is not spent: the next try gets tokens', async () => {
    const app = await signedInApp(server, { refreshLeewaySeconds: 0 })
    const codes = [await app.code(), await app.code()] as const
    const held = String((await app.redeem(codes[0])).body['refresh_token'])
    await refusing('RefreshToken', async () => {
      for (const refused of [await app.redeem(codes[1]), await app.refresh(held)])
        expect([refused.status, refused.body['error']]).toEqual([500, 'server_error'])
    })
    for (const given of [await app.redeem(codes[1]), await app.refresh(held)])
      expect([given.status, typeof given.body['refresh_token']]).toEqual([200, 'string'])
    expect((await app.refresh(held)).status).toBe(400)
  })

  it.each(['Grant', 'AuthorizationCode', 'Session'])(
    'TK-10 a sign-in whose %s cannot be stored ends on a page that says so: no code leaves, and no session is left behind',
    async (model) => {
      const account = await createAccount(server)
      const app = await relyingParty(server, { firstParty: true })
      const browser = new Browser(server.origin)
      await refusing(model, async () => {
        await browser.visit(app.authorizationUrl({ scope: 'openid' }))
        const page = await browser.submit('/login', { username: account.email, password: PASSWORD })
        expect([page.status, page.isForeign, page.words.includes('nothing was changed')]).toEqual([
          500,
          false,
          true,
        ])
        expect(page.response.headers.get('location')).toBeNull()
      })
      expect((await browser.visit('/account')).step).toBe('login')
      expect(await server.context.sessions.list(account.id)).toEqual([])
      await browser.visit(app.authorizationUrl({ scope: 'openid' }))
      const back = await browser.submit('/login', { username: account.email, password: PASSWORD })
      expect(await app.redeem(back.url)).toBeTruthy()
    },
  )

  /** The work, while PostgreSQL refuses rows of the model. */
  async function refusing(model: string, work: () => Promise<void>): Promise<void> {
    const { pool } = server.context.database
    await pool.query(`
      create function refuse_row() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
      create trigger refuse_row before insert on oidc_artifact for each row when (new.model = '${model}') execute function refuse_row()`)
    try {
      await work()
    } finally {
      await pool.query('drop trigger refuse_row on oidc_artifact; drop function refuse_row()')
    }
  }

  async function allowConnections(allowed: boolean): Promise<void> {
    const url = new URL(database.url)
    const name = url.pathname.slice(1)
    url.pathname = '/postgres'
    await asAdmin(url.href, async (client) => {
      await client.query(`alter database ${name} with allow_connections ${allowed}`)
      if (!allowed)
        await client.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1',
          [name],
        )
    })
  }
})
