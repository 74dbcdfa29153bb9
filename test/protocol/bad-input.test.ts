import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import {
  authorizationUrl,
  authorize,
  basic,
  nobody,
  post,
  type SignedInApp,
  signedInApp,
  signIn,
} from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let app: SignedInApp

beforeAll(async () => {
  server = await startServer()
  app = await signedInApp(server)
})
afterAll(() => server.stop())

/** How many rows every table has: what nothing may be half-written to. */
async function rows(): Promise<Record<string, number>> {
  const { pool } = server.context.database
  const tables = await pool.query<{ name: string }>(
    `select "tablename" as "name" from "pg_tables" where "schemaname" = 'public'`,
  )
  const counts = await Promise.all(
    tables.rows.map(
      async ({ name }) =>
        [
          name,
          Number(
            (await pool.query<{ n: string }>(`select count(*) as "n" from "${name}"`)).rows[0]?.n,
          ),
        ] as const,
    ),
  )
  return Object.fromEntries(counts.filter(([name]) => !/audit|attempt/.test(name)))
}

interface Raw {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

async function raw({ method = 'POST', path, headers = {}, body }: Raw) {
  const length =
    body === undefined || headers['transfer-encoding']
      ? {}
      : { 'content-length': String(Buffer.byteLength(body)) }
  const response = await send(new URL(path, server.origin), {
    method,
    headers: { ...length, ...headers },
    ...(body === undefined ? {} : { body }),
  })
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    location: response.headers.get('location'),
    text: await response.text(),
  }
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const JSON_TYPE = { 'content-type': 'application/json' }

describe('bad input at the protocol', () => {
  it.each<[string, number, () => Raw]>([
    [
      'a token request as JSON',
      400,
      () => ({ path: '/token', headers: JSON_TYPE, body: '{"grant_type":"authorization_code"}' }),
    ],
    ['a token request without body', 400, () => ({ path: '/token' })],
    [
      'a token request as malformed form',
      400,
      () => ({ path: '/token', headers: FORM, body: '%zz=%zz&&&=&a' }),
    ],
    [
      'a token request that is not UTF-8',
      400,
      () => ({ path: '/token', headers: FORM, body: Buffer.from([0x61, 0x3d, 0xff, 0xfe]) }),
    ],
    [
      'a token request of 1 MB',
      413,
      () => ({ path: '/token', headers: FORM, body: `a=${'x'.repeat(1_000_000)}` }),
    ],
    [
      'a token request of 60 kB in chunks',
      413,
      () => ({
        path: '/token',
        headers: { ...FORM, 'transfer-encoding': 'chunked' },
        body: `a=${'x'.repeat(60_000)}`,
      }),
    ],
    [
      'a token request of 5,000 fields',
      400,
      () => ({
        path: '/token',
        headers: FORM,
        body: Array.from({ length: 5000 }, (_, index) => `a${index}=1`).join('&'),
      }),
    ],
    [
      'a compressed token request',
      400,
      () => ({ path: '/token', headers: { ...FORM, 'content-encoding': 'gzip' }, body: 'x' }),
    ],
    [
      'fields in brackets',
      400,
      () => ({
        path: '/token',
        headers: FORM,
        body: 'grant_type[]=authorization_code&code[$ne]=x&__proto__[a]=1',
      }),
    ],
    [
      'introspection of nothing',
      400,
      () => ({
        path: '/token/introspection',
        headers: { ...FORM, ...basic(app.client) },
        body: '',
      }),
    ],
    [
      'an authorization request as JSON',
      415,
      () => ({ path: '/auth', headers: JSON_TYPE, body: '{}' }),
    ],
    [
      'an authorization request of 1 MB',
      413,
      () => ({ path: '/auth', headers: FORM, body: `state=${'x'.repeat(1_000_000)}` }),
    ],
    [
      'an authorization request with 20 kB of address',
      400,
      () => ({ method: 'GET', path: `/auth?state=${'x'.repeat(12_000)}` }),
    ],
    ['a resumption of nothing', 400, () => ({ method: 'GET', path: `/auth/${nobody()}` })],
    ['an unknown verb', 405, () => ({ method: 'PROPFIND', path: '/auth' })],
    ['userinfo without token', 401, () => ({ method: 'GET', path: '/userinfo' })],
    [
      'an address that is not UTF-8',
      400,
      () => ({ method: 'GET', path: '/auth?client_id=%ff%fe&redirect_uri=%c0%af' }),
    ],
    [
      'a path that is not UTF-8',
      404,
      () => ({ method: 'GET', path: '/interaction/%ff%fe/nothing' }),
    ],
    [
      'a body for a page that takes none',
      404,
      () => ({ path: '/nothing', headers: FORM, body: 'a=1' }),
    ],
  ])(
    '%s is answered with %i, a page or JSON, and nothing is written',
    async (_what, status, request) => {
      const before = await rows()
      const answer = await raw(request())
      expect([answer.status, answer.location]).toEqual([status, null])
      expect(answer.type).toMatch(/^(application\/json|text\/html)/)
      expect(answer.text).not.toMatch(/at .+\.(ts|js):\d+|node_modules|select "/)
      expect(await rows()).toEqual(before)
    },
  )

  it.each([
    '/token',
    '/token/introspection',
    '/token/revocation',
    '/userinfo',
    '/auth',
    '/session/end',
    '/session/end/confirm',
  ])(
    'AZ-08 %s refuses 60 kB in chunks, and the same in one piece, with the same words',
    async (path) => {
      const body = `a=${'x'.repeat(60_000)}`
      const [chunked, whole] = [
        await raw({ path, headers: { ...FORM, 'transfer-encoding': 'chunked' }, body }),
        await raw({ path, headers: FORM, body }),
      ]
      expect([chunked.status, whole.status, chunked.type]).toEqual([413, 413, whole.type])
      if (whole.type.includes('json'))
        for (const { text } of [chunked, whole])
          expect(JSON.parse(text)).toMatchObject({ error: 'payload_too_large' })
    },
  )

  it('WB-10 another Host is misdirected, whatever is asked', async () => {
    for (const path of [
      '/auth?client_id=x',
      '/token',
      '/login',
      '/account',
      '/.well-known/openid-configuration',
      '/jwks',
      '/userinfo',
    ])
      for (const host of [
        'evil',
        'evil.example',
        `${new URL(server.origin).host}.evil.example`,
        'localhost',
      ]) {
        const response = await send(new URL(path, server.origin), { headers: { host } })
        expect([path, host, response.status, response.headers.get('location')]).toEqual([
          path,
          host,
          421,
          null,
        ])
        expect(await response.text()).not.toContain('evil')
      }
  })

  it('EM-05 forwarded headers change no address that is named', async () => {
    const forged = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
      'x-original-url': '/evil',
    }
    for (const path of ['/.well-known/openid-configuration', '/login', '/auth?client_id=x']) {
      const response = await send(new URL(path, server.origin), { headers: forged })
      expect(`${response.headers.get('location')} ${await response.text()}`).not.toContain('evil')
    }
  })
})

describe('bad input at the pages', () => {
  it.each(['[]', '{}', 'null', '""', '0', 'true', '{"$ne":null}'])(
    '%s instead of a text is refused on every form, and no session is made',
    async (text) => {
      const browser = new Browser(server.origin)
      await browser.visit(authorizationUrl(server, app.client.clientId))
      const { action, fields } = browser.page.form('/login')
      const csrf = fields.find(({ name }) => name === '_csrf')?.value ?? ''
      const before = await rows()
      for (const body of [
        `_csrf=${csrf}&username=${encodeURIComponent(text)}&password=${encodeURIComponent(text)}`,
        `_csrf=${csrf}&username[]=a&password[]=b`,
      ]) {
        const page = await browser.post(action, body)
        expect([page.status, page.url.pathname.endsWith('/login')]).toEqual([400, true])
      }
      const json = await browser.post(action, text, { headers: JSON_TYPE })
      expect(json.status).toBe(415)
      expect(await rows()).toEqual(before)
    },
  )

  it('a form of 1 MB, a repeated field, and a form without its token are refused', async () => {
    const browser = new Browser(server.origin)
    await browser.visit(authorizationUrl(server, app.client.clientId))
    const { action } = browser.page.form('/login')
    expect((await browser.post(action, `username=${'x'.repeat(1_000_000)}`)).status).toBe(413)
    expect((await browser.post(action, 'username=a&username=b')).status).toBe(400)
    expect(
      (
        await browser.post(
          action,
          `username=${app.account.email}&password=${encodeURIComponent(PASSWORD)}`,
        )
      ).status,
    ).toBe(403)
  })

  it('SE-12 a second browser with the stolen address of an interaction sees a page, and signs nobody in', async () => {
    const owner = new Browser(server.origin)
    const login = await owner.visit(authorizationUrl(server, app.client.clientId))
    const thief = new Browser(server.origin)
    const page = await thief.visit(login.url)
    expect([
      page.status,
      page.forms.some(({ fields }) => fields.some(({ name }) => name === 'password')),
    ]).toEqual([400, false])
    const posted = await thief.post(`${login.url.pathname}/login`, {
      username: app.account.email,
      password: PASSWORD,
    })
    expect([
      posted.status >= 400 && posted.status < 500,
      thief.jar.find('gatehouse_session'),
    ]).toEqual([true, undefined])
    const resumed = await thief.visit(login.url.pathname.replace('/interaction/', '/auth/'))
    expect([resumed.status, resumed.isForeign]).toEqual([400, false])
    expect((await signIn(owner, app.account.email)).isForeign).toBe(true)
  })

  it('UX-14 an interaction that has expired or is over is a page that says so', async () => {
    const browser = new Browser(server.origin)
    const login = await browser.visit(authorizationUrl(server, app.client.clientId))
    await server.context.database.pool.query(
      `update "oidc_artifact" set "expires_at" = now() - interval '1 second' where "model" = 'Interaction'`,
    )
    for (const attempt of [
      await browser.visit(login.url),
      await browser.post(`${login.url.pathname}/login`, { username: 'a', password: 'b' }),
    ]) {
      expect([attempt.status >= 400 && attempt.status < 500, attempt.isForeign]).toEqual([
        true,
        false,
      ])
      expect(attempt.response.headers.get('content-type')).toMatch(/^text\/html/)
    }
  })

  it('UX-15 back button and double submit of a sign-in give a page, never a 500', async () => {
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    await browser.visit(authorizationUrl(server, app.client.clientId))
    const form = browser.page.form('/login')
    const values = { username: account.email, password: PASSWORD }
    expect((await browser.submit(form, values)).isForeign).toBe(true)
    const again = await browser.submit(form, values)
    expect([again.status, again.isForeign]).toEqual([400, false])
  })

  it('a code that is used twice is invalid_grant, and a request without PKCE goes back to the app as an error', async () => {
    const code = await app.code()
    expect((await app.redeem(code)).status).toBe(200)
    expect((await app.redeem(code)).body.error).toBe('invalid_grant')
    const { location } = await authorize(server, app.client.clientId, { code_challenge: undefined })
    expect(location?.searchParams.get('error')).toBe('invalid_request')
  })

  it.each(['/token', '/token/introspection', '/token/revocation', '/userinfo'])(
    '%s refuses 1 MB in JSON, whoever asks',
    async (path) => {
      const { status, body } = await post(server, path, { token: 'x'.repeat(1024 * 1024) })
      expect([status, body.error]).toEqual([413, 'payload_too_large'])
    },
  )

  it('LG-05 errors of the protocol are JSON for programs and pages for people, and say nothing of the inside', async () => {
    const page = await authorize(server, 'nobody')
    expect(page.headers.get('content-type')).toMatch(/^text\/html/)
    const { body, text } = await post(server, '/token', {
      grant_type: 'refresh_token',
      refresh_token: 'x',
      client_id: 'nobody',
    })
    expect(Object.keys(body).toSorted()).toEqual(['error', 'error_description'])
    expect(`${page.text} ${text}`).not.toMatch(/node_modules|oidc-provider|postgres|\.ts:/i)
  })
})
