import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Redis } from 'ioredis'
import { createApp } from '../../src/app.ts'
import { authRoutes } from '../../src/http/api/auth/index.ts'
import { api } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { connectTo } from '../support/redis.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { submitLogin } from './attacks.ts'

interface Route {
  readonly method: string
  readonly path: string
}

interface Routed {
  readonly router?: {
    readonly stack: readonly {
      readonly methods: readonly string[]
      readonly path: string | RegExp
    }[]
  }
}

const FORM = 'application/x-www-form-urlencoded'
const CROSS_SITE = { 'sec-fetch-site': 'cross-site' }
const CORS = {
  ...CROSS_SITE,
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
  origin: 'https://evil.example',
}

/**
 * What a page of another site can make a browser send, and what some browser without fetch metadata
 * would.
 */
const FOREIGN: readonly {
  readonly name: string
  readonly headers: Record<string, string>
  readonly body?: string
}[] = [
  {
    name: 'text',
    headers: { ...CORS, 'content-type': 'text/plain' },
    body: '{"email":"a@example.org","password":"x"}',
  },
  {
    name: 'a form',
    headers: { ...CROSS_SITE, 'content-type': FORM },
    body: 'email=a%40example.org&password=x',
  },
  {
    name: 'a form from an old browser',
    headers: { origin: 'https://evil.example', 'content-type': FORM },
    body: '_csrf=x',
  },
  { name: 'a form without a token', headers: { 'content-type': FORM }, body: 'code=123456' },
  {
    name: 'a file',
    headers: { ...CORS, 'content-type': 'multipart/form-data; boundary=x' },
    body: '--x--',
  },
  { name: 'nothing', headers: CORS },
]
/** What providers send from their own sites: judged by what it says. */
const OF_PROVIDERS = ['/upstream/someone/callback', '/upstream/someone/backchannel-logout']
/** Anybody may read it, also a script of another site. */
const OF_EVERYBODY = '/api/auth/providers'
const LOADS: readonly Record<string, string>[] = [
  { ...CROSS_SITE, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
  { ...CROSS_SITE, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
  CORS,
]

describe('what another site makes a browser send', () => {
  let server: TestServer
  let redis: Redis
  beforeAll(async () => {
    server = await startServer({ storage: 'Redis' })
    redis = connectTo(server.redis?.url ?? '')
  })
  afterAll(async () => {
    redis.disconnect()
    await server.stop()
  })

  /**
   * Every route of the pages and of the account API, its parameters filled in; what only
   * development has is not limited.
   */
  function routes(): Route[] {
    const pages = createApp(server.context).middleware.flatMap(
      (middleware) => (middleware as Routed).router?.stack ?? [],
    )
    const { stack } = authRoutes(
      { ...server.context, issuer: server.origin },
      () => (_ctx, next) => next(),
    )
    return [...pages, ...stack]
      .flatMap(({ methods, path }) =>
        methods.map((method) => ({ method, path: String(path).replace(/:\w+/g, 'someone') })),
      )
      .filter(({ path }) => !path.startsWith('/dev/') && path !== OF_EVERYBODY)
  }

  const counted = () => redis.keys('gh:limit:*')

  it('SE-11 RL-05 is refused on every route before any limit is counted', async () => {
    const all = routes()
    const paths = all.map(({ path }) => path)
    expect(paths).toEqual(
      expect.arrayContaining([
        '/interaction/someone/login',
        '/account/mfa',
        '/forgot-password',
        '/api/auth/user',
      ]),
    )
    for (const { method, path } of all) {
      if (['GET', 'HEAD'].includes(method))
        for (const headers of LOADS) await send(`${server.origin}${path}`, { method, headers })
      else if (!OF_PROVIDERS.includes(path))
        for (const { name, headers, body } of FOREIGN) {
          const length = body === undefined ? {} : { 'content-length': String(body.length) }
          const answer = await send(`${server.origin}${path}`, {
            method,
            headers: { ...headers, ...length },
            ...(body ? { body } : {}),
          })
          expect([method, path, name, [400, 401, 403, 415].includes(answer.status)]).toEqual([
            method,
            path,
            name,
            true,
          ])
        }
    }
    // Some limits are told to Redis a moment later.
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await counted()).toEqual([])
  })

  it('RL-04 a person of the same network is not locked out by it, and is counted', async () => {
    const { email } = await createAccount(server)
    const text = '{"email":"a@example.org","password":"x"}'
    const headers = { ...CORS, 'content-type': 'text/plain', 'content-length': String(text.length) }
    const statuses = new Set<number>()
    for (let sent = 0; sent < 63; sent += 1)
      statuses.add(
        (
          await send(`${server.origin}/api/auth/sign-in/email`, {
            method: 'POST',
            headers,
            body: text,
          })
        ).status,
      )
    expect([...statuses]).toEqual([415])
    expect(
      (await api(server, 'POST /sign-in/email', { email, password: 'not the right one' })).status,
    ).toBe(401)
    const browser = new Browser(server.origin)
    await browser.visit('/login', { ...CROSS_SITE })
    expect((await submitLogin(browser, email, 'not the right one')).status).toBe(401)
    const isCounted = async () => {
      const names = (await counted()).map((key) => key.split(':')[2])
      return ['sign-in', 'authorize', 'interaction'].every((name) => names.includes(name))
    }
    await eventually(isCounted, true)
  })
})
