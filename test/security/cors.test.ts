import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { ClientInput } from '../../src/clients/registration.ts'
import { chromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { createClient } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { basic, type SignedInApp, signedInApp } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

const MINE = 'https://good.example'
const THEIRS = 'https://other.example'
const STRANGERS = [
  'https://evil.example',
  'https://good.example.evil.example',
  'https://good.example:8443',
  'http://good.example',
  'https://GOOD.example',
  'https://good.example/',
  'com.example.app:',
  'file://',
  'null',
  '*',
]
const DOCUMENTS = [
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/jwks',
  '/.well-known/jwks.json',
]
const CALLS = ['/token', '/token/revocation', '/userinfo']
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

let server: TestServer
let clientId: string

beforeAll(async () => {
  server = await startServer()
  clientId = (
    await createClient(server, { secret: null, redirectUris: [`${MINE}/a`, `${MINE}/b?c=d`] })
  ).clientId
  await createClient(server, { redirectUris: [`${THEIRS}/callback`] })
  await createClient(server, { type: 'native', redirectUris: ['com.example.app:/callback'] })
})
afterAll(() => server.stop())

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

async function ask(path: string, origin: string | undefined, asked: Asked = {}) {
  const { method = 'GET', headers = {}, body } = asked
  const response = await send(server.origin + path, {
    method,
    headers: {
      ...(origin === undefined ? {} : { origin }),
      ...(body === undefined ? {} : { ...FORM, 'content-length': String(body.length) }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  })
  const header = (name: string) => response.headers.get(name)
  return {
    status: response.status,
    allowed: [
      header('access-control-allow-origin'),
      header('access-control-allow-credentials'),
    ] as const,
    vary: header('vary'),
    methods: header('access-control-allow-methods'),
  }
}

const preflight = (path: string, origin: string) =>
  ask(path, origin, { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } })

describe('SE-14 CORS of what is the same for everybody', () => {
  it.each(DOCUMENTS)(
    'SE-14 %s names an origin that a client registered, and no other',
    async (path) => {
      for (const origin of [MINE, THEIRS]) {
        const { status, allowed, vary } = await ask(path, origin)
        expect([origin, status, allowed, vary]).toEqual([origin, 200, [origin, 'true'], 'Origin'])
      }
      for (const origin of [...STRANGERS, undefined]) {
        const { status, allowed, vary } = await ask(path, origin)
        expect([origin, status, allowed, vary]).toEqual([origin, 200, ['*', null], 'Origin'])
      }
    },
  )

  it('SE-14 hears of a client that comes and of one that is disabled', async () => {
    const [path] = DOCUMENTS as [string]
    const origin = 'https://late.example'
    const named = async () => (await ask(path, origin)).allowed[0]
    expect(await named()).toBe('*')
    const { client } = await server.context.clients.create({
      name: 'Late',
      redirectUris: [`${origin}/callback`],
    })
    await eventually(named, origin)
    await server.context.clients.disable(client.id)
    await eventually(named, '*')
  })

  it('SE-14 names nobody while the clients cannot be read, and answers', async () => {
    await using other = await startServer({ database: { url: server.config.database.url } })
    const { pool } = other.context.database
    const query = pool.query.bind(pool) as (...given: unknown[]) => unknown
    pool.query = ((...given: unknown[]) =>
      JSON.stringify(given[0]).includes('redirect_uris')
        ? Promise.reject(new Error('away'))
        : query(...given)) as typeof pool.query
    const response = await send(`${other.origin}/jwks`, { headers: { origin: MINE } })
    const { headers, status } = response
    expect([status, headers.get('access-control-allow-origin')]).toEqual([200, '*'])
  })
})

describe('SE-14 CORS of calls', () => {
  it.each([...CALLS, ...DOCUMENTS])(
    'SE-14 a preflight of %s asks who may come at all',
    async (path) => {
      const { status, allowed, methods } = await preflight(path, MINE)
      expect([status, allowed]).toEqual([204, [MINE, 'true']])
      expect(methods).toMatch(/GET|POST/)
      for (const origin of STRANGERS)
        expect([origin, (await preflight(path, origin)).allowed]).toEqual([origin, ['*', null]])
    },
  )

  it('SE-14 the client decides at the request', async () => {
    const body = `client_id=${clientId}&grant_type=authorization_code&code=x&token=x`
    for (const path of ['/token', '/token/revocation']) {
      const asked = { method: 'POST', body }
      expect([path, (await ask(path, MINE, asked)).allowed]).toEqual([path, [MINE, 'true']])
      for (const origin of [THEIRS, ...STRANGERS]) {
        const { status, allowed } = await ask(path, origin, asked)
        expect([path, origin, status, allowed]).toEqual([path, origin, 400, [null, null]])
      }
    }
  })

  it('SE-14 the client of a token decides at userinfo', async () => {
    const app = await signedInApp(server, { redirectUris: [`${MINE}/callback`] })
    const { access_token: token } = (await app.redeem(await app.code())).body
    const asked = { headers: { authorization: `Bearer ${token}` } }
    expect(await ask('/userinfo', MINE, asked)).toMatchObject({
      status: 200,
      allowed: [MINE, 'true'],
      vary: 'Origin',
    })
    for (const origin of [THEIRS, 'null'])
      expect(await ask('/userinfo', origin, asked)).toMatchObject({
        status: 400,
        allowed: [null, null],
      })
  })

  it('SE-14 an error before anybody is known is read by everybody, without credentials', async () => {
    for (const path of CALLS) {
      const asked = { method: 'POST', body: 'x=y' }
      expect([path, (await ask(path, 'null', asked)).allowed]).toEqual([path, ['*', null]])
    }
  })

  it('SE-14 nothing else takes credentials', async () => {
    for (const path of ['/token/introspection', '/auth', '/session/end', '/api/auth/user/me'])
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const headers = { 'access-control-request-method': 'POST' }
        const { allowed } = await ask(path, MINE, {
          method,
          headers,
          body: `client_id=${clientId}`,
        })
        expect([path, method, allowed[1]]).toEqual([path, method, null])
      }
  })
})

describe('SE-14 what takes credentials reads none', () => {
  let app: SignedInApp
  let cookie: string
  beforeAll(async () => {
    app = await signedInApp(server, {
      redirectUris: [`${MINE}/callback`],
      grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
    })
    await app.browser.visit('/account')
    cookie = app.browser.jar.header(new URL('/token', server.origin)) ?? ''
    expect(cookie).toMatch(/session/)
  })

  /** Status, all headers but the request's own, and the body to the byte. */
  async function whole(path: string, { method = 'GET', headers = {}, body }: Asked) {
    const response = await send(server.origin + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { ...FORM, 'content-length': String(body.length) }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    })
    const { status } = response
    const own = ['date', 'x-request-id']
    const kept = [...response.headers].filter(([name]) => !own.includes(name))
    // Between two requests a second may end.
    const text = (await response.text()).replace(/(?<="expires_in":)\d+/, '600')
    return { status, headers: kept, body: text }
  }

  it.each<[string, () => Promise<readonly [string, Asked]>]>([
    ['discovery', async () => ['/.well-known/openid-configuration', {}]],
    ['JWKS', async () => ['/jwks', {}]],
    [
      'userinfo',
      async () => {
        const { access_token: token } = (await app.redeem(await app.code())).body
        return ['/userinfo', { headers: { authorization: `Bearer ${token}` } }]
      },
    ],
    ['userinfo without a token', async () => ['/userinfo', {}]],
    [
      'a refresh, repeated within the leeway',
      async () => {
        const code = await app.code({ scope: 'email', nonce: undefined })
        const { refresh_token: token } = (await app.redeem(code)).body
        const body = `grant_type=refresh_token&refresh_token=${token}`
        return ['/token', { method: 'POST', headers: basic(app.client), body }]
      },
    ],
    [
      'a code that nobody has',
      async () => [
        '/token',
        {
          method: 'POST',
          headers: basic(app.client),
          body: 'grant_type=authorization_code&code=x&redirect_uri=https://good.example/callback',
        },
      ],
    ],
    [
      'revocation',
      async () => [
        '/token/revocation',
        { method: 'POST', headers: basic(app.client), body: 'token=x' },
      ],
    ],
  ])('SE-14 %s is equal to the byte with and without a session', async (_what, request) => {
    const [path, asked] = await request()
    for (const origin of [{}, { origin: MINE }]) {
      const without = { ...asked, headers: { ...asked.headers, ...origin } }
      // The first refresh gives what the others repeat.
      await whole(path, without)
      const bare = await whole(path, without)
      const signedIn = await whole(path, { ...asked, headers: { ...without.headers, cookie } })
      expect(signedIn).toEqual(bare)
      expect(signedIn.headers.map(([name]) => name)).not.toContain('set-cookie')
    }
  })
})

describe('SE-14 in Chromium', () => {
  const people = chromium()
  /** Chromium lets no page of the public web come to loopback, so the apps are there, too. */
  const servers: Server[] = []
  afterAll(() => {
    for (const each of servers) each.close()
  })

  async function site(): Promise<string> {
    const page = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<!doctype html><title>App</title>')
    }).listen(0, '127.0.0.1')
    servers.push(page)
    await once(page, 'listening')
    return `http://127.0.0.1:${(page.address() as AddressInfo).port}`
  }

  /** What a script at that origin can read of answers to requests with credentials. */
  async function readFrom(origin: string, id: string) {
    const page = await people.newPage()
    await page.goto(origin)
    return page.evaluate(
      async ([issuer, client]) => {
        const read = (path: string, init: RequestInit = {}) =>
          fetch(issuer + path, { credentials: 'include', ...init }).then(
            async (response) => [response.status, (await response.text()).length > 0],
            () => 'kept from the page',
          )
        const body = new URLSearchParams({ client_id: client, grant_type: 'refresh_token' })
        const headers = { authorization: 'Bearer wrong', 'x-requested-with': 'app' }
        return [
          await read('/.well-known/openid-configuration'),
          await read('/jwks', { headers: { 'x-requested-with': 'app' } }),
          await read('/token', { method: 'POST', body }),
          await read('/userinfo', { headers }),
        ]
      },
      [server.origin, id] as const,
    )
  }

  it('SE-14 a page of the app reads what it asks for with credentials, any other reads nothing', async () => {
    const [mine, theirs] = [await site(), await site()]
    const app: ClientInput = { name: 'App', type: 'spa', redirectUris: [`${mine}/callback`] }
    const { id } = (await server.context.clients.create(app)).client
    await eventually(async () => (await ask('/jwks', mine)).allowed[0], mine)
    const kept = 'kept from the page'
    expect(await readFrom(mine, id)).toEqual([
      [200, true],
      [200, true],
      [400, true],
      [401, true],
    ])
    expect(await readFrom(theirs, id)).toEqual([kept, kept, kept, kept])
  })
})
