import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { AppError } from '../../src/errors.ts'
import type { Browser, Page } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  addresses,
  atLogin,
  atSignUp,
  dump,
  isSignedIn,
  newPerson,
  submitLogin,
} from './attacks.ts'

const elsewhere = addresses()

describe('forms', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ config: { trustedProxyHops: 1 } })
  })
  afterAll(() => server.stop())

  /** A post of raw bytes to the form that the browser stands before. */
  async function post(
    browser: Browser,
    body: string | Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const { action } = browser.page.form()
    return send(action, {
      method: 'POST',
      headers: {
        ...elsewhere(),
        cookie: browser.jar.header(action) ?? '',
        origin: server.origin,
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(body),
        ...headers,
      },
      body,
    })
  }
  const csrfOf = (browser: Browser) =>
    browser.page.forms[0]?.fields.find(({ name }) => name === '_csrf')?.value ?? ''

  it('IN-02 refuses what is too large, too many, twice there or no UTF-8, before anything is checked', async () => {
    const account = await createAccount(server)
    const browser = await atLogin(server, { headers: elsewhere() })
    const good = `_csrf=${csrfOf(browser)}&username=${encodeURIComponent(account.email)}&password=${encodeURIComponent(PASSWORD)}`
    const before = server.context.hasher.stats.evaluations
    const table: [string, string | Uint8Array, number, Record<string, string>?][] = [
      ['17 kB', `${good}&x=${'a'.repeat(17 * 1024)}`, 413],
      ['1 MB', `${good}&x=${'a'.repeat(1_000_000)}`, 413],
      [
        '101 fields',
        `${good}&${Array.from({ length: 99 }, (_, index) => `f${index}=1`).join('&')}`,
        400,
      ],
      ['a field twice', `${good}&password=other`, 400],
      ['a token twice', `_csrf=x&${good}`, 400],
      [
        'bytes that are no UTF-8',
        Buffer.concat([Buffer.from(`${good}&x=`), Buffer.from([0xff, 0xfe])]),
        400,
      ],
      ['escaped bytes that are no UTF-8', `${good}&x=%ff%fe`, 400],
      ['an overlong escape', `${good}&x=%c0%af`, 400],
      ['half a surrogate', `${good}&x=%ed%a0%80`, 400],
      ['a broken escape', `${good}&x=%zz`, 400],
      ['__proto__', `${good}&__proto__=1`, 400],
      ['constructor', `${good}&constructor=1`, 400],
      ['prototype', `${good}&prototype=1`, 400],
      ['gzip', good, 415, { 'content-encoding': 'gzip' }],
      ['another type', good, 415, { 'content-type': 'text/plain' }],
      ['JSON', '{}', 415, { 'content-type': 'application/json' }],
    ]
    for (const [name, body, status, headers] of table)
      expect([name, (await post(browser, body, headers)).status]).toEqual([name, status])
    expect(server.context.hasher.stats.evaluations).toBe(before)
    expect((await post(browser, good)).status).toBe(303)
  })

  it('IN-02 arrays, objects, nothing and other types where a string belongs are refused, and none of it is a 500', async () => {
    for (const [make, fields] of [
      [atLogin, ['username', 'password']],
      [atSignUp, ['name', 'email', 'password']],
    ] as const)
      for (const field of fields) {
        const browser = await make(server, { headers: elsewhere() })
        const rest = fields
          .filter((name) => name !== field)
          .map((name) => `${name}=x%40example.org`)
        for (const odd of [
          '',
          `${field}=`,
          `${field}[]=a`,
          `${field}[$ne]=a`,
          `${field}[__raw]=1`,
          `${field}%00=a`,
          `${field}=%00`,
          `${field}=a%00b`,
          `${field}=%F0%9F%98%80`,
          `${field}=null`,
          `${field}=[]`,
          `${field}=${'x'.repeat(5000)}`,
        ]) {
          const { status } = await post(
            browser,
            [`_csrf=${csrfOf(browser)}`, odd, ...rest].join('&'),
          )
          expect([field, odd.slice(0, 30), status >= 400 && status < 500]).toEqual([
            field,
            odd.slice(0, 30),
            true,
          ])
        }
      }
  })

  it('IN-02 AZ-08 odd bytes in parameters of the protocol and of pages are never a 500, and never go elsewhere', async () => {
    const app = await relyingParty(server)
    const odd = [
      '%00',
      'a%00b',
      '%ed%a0%80',
      '%ff',
      '%c0%af',
      '%zz',
      '%u0041',
      '%F0%9F%98%80',
      '%0d%0a',
      '%e2%80%a8',
      '[]',
      '%5B%5D',
      '..%2f..%2f',
      '%25%30%30',
      'constructor',
      '__proto__',
      '%7b%7d',
      'x'.repeat(1500),
    ]
    const base = app.authorizationUrl({ scope: 'openid' })
    for (const value of odd) {
      for (const name of [
        'client_id',
        'redirect_uri',
        'scope',
        'state',
        'nonce',
        'response_type',
        'response_mode',
        'code_challenge',
        'code_challenge_method',
        'prompt',
        'max_age',
        'login_hint',
        'ui_locales',
        'id_token_hint',
        'acr_values',
        'claims',
        'resource',
        'request',
        'request_uri',
        'display',
      ]) {
        const url = new URL(base)
        url.searchParams.delete(name)
        const { status, headers } = await send(
          `${server.origin}/auth${url.search}&${name}=${value}`,
          { headers: elsewhere() },
        )
        expect([name, value, status < 500]).toEqual([name, value, true])
        const location = headers.get('location')
        if (location)
          expect([server.origin, 'https://client.example']).toContain(
            new URL(location, server.origin).origin,
          )
      }
      for (const path of [
        '/login?login_hint=',
        '/login?return_to=',
        '/locale?lang=',
        '/locale?return_to=',
        '/forgot-password?email=',
        '/reset-password?token=',
        '/verify-email?token=',
        '/undo-email?token=',
        '/account/callback?code=',
        '/account/callback?state=',
        '/session/end?id_token_hint=',
        '/session/end?post_logout_redirect_uri=',
        '/session/end?client_id=',
        '/interaction/',
        '/auth/',
        '/assets/',
        '/',
      ])
        expect([
          path,
          value,
          (await send(`${server.origin}${path}${value}`, { headers: elsewhere() })).status < 500,
        ]).toEqual([path, value, true])
      for (const name of [
        'code',
        'refresh_token',
        'client_id',
        'client_secret',
        'grant_type',
        'redirect_uri',
        'code_verifier',
        'token',
        'scope',
        'resource',
      ])
        for (const path of ['/token', '/token/introspection', '/token/revocation']) {
          const body = new URLSearchParams({
            grant_type: 'authorization_code',
            client_id: app.clientId,
            client_secret: app.clientSecret ?? '',
            token: 'x',
            code: 'x',
            redirect_uri: app.redirectUri,
            code_verifier: 'x'.repeat(43),
          })
          body.delete(name)
          const { status } = await send(`${server.origin}${path}`, {
            method: 'POST',
            headers: { ...elsewhere(), 'content-type': 'application/x-www-form-urlencoded' },
            body: `${body.toString()}&${name}=${value}`,
          })
          expect([path, name, value, status < 500]).toEqual([path, name, value, true])
        }
    }
  })

  it('IN-02 SE-03 cookies that are forged, cut, enormous or not ours are as good as none', async () => {
    const { browser } = await newPerson(server, { browser: { headers: elsewhere() } })
    const session = browser.jar.find('gatehouse_session')?.value ?? ''
    const reset = Buffer.from('{"tokenId":"x","email":"a@example.org"}').toString('base64url')
    for (const cookie of [
      `gatehouse_session=${session}`,
      `gatehouse_session=${session}; gatehouse_session.sig=x`,
      `gatehouse_session=${session.slice(1)}`,
      'gatehouse_session=%00',
      'gatehouse_session=',
      '=',
      ';;;',
      `gatehouse_session=${'x'.repeat(6000)}`,
      `gatehouse_reset=${reset}`,
      `gatehouse_reset=${reset}; gatehouse_reset.sig=x`,
      'gatehouse_reset=%%%',
      'gatehouse_sign-up=bm9uc2Vuc2U',
      'gatehouse_csrf=short',
      `gatehouse_csrf=${'x'.repeat(100)}`,
      'gatehouse_locale=../../etc/passwd',
      'gatehouse_theme=<script>',
      '__proto__=1',
      'gatehouse_device=\u00ff',
    ]) {
      for (const path of [
        '/account',
        '/reset-password',
        '/forgot-password',
        '/login',
        '/verify-email?token=x',
      ]) {
        const { status, headers } = await send(`${server.origin}${path}`, {
          headers: { ...elsewhere(), cookie },
        })
        expect([cookie.slice(0, 40), path, status < 500]).toEqual([cookie.slice(0, 40), path, true])
        if (path === '/account')
          expect([cookie.slice(0, 40), headers.get('location')?.startsWith('/auth?')]).toEqual([
            cookie.slice(0, 40),
            true,
          ])
      }
    }
  })

  it('IN-07 every answer with a body names its type, and text names its charset', async () => {
    for (const path of [
      '/forgot-password',
      '/nothing',
      '/jwks',
      '/.well-known/openid-configuration',
      '/api/auth/user/me',
      '/health/live',
      '/api/openapi.json',
      '/userinfo',
      '/token',
      '/dev/inbox',
    ]) {
      for (const method of ['GET', 'POST']) {
        const answer = await send(`${server.origin}${path}`, { method, headers: elsewhere() })
        if ((await answer.text()) === '') continue
        expect([path, method, answer.headers.get('content-type')]).toEqual([
          path,
          method,
          expect.stringMatching(
            /^(text\/[a-z]+|application\/(json|[a-z-]+\+json)); charset=utf-8$/i,
          ),
        ])
      }
    }
    const { headers } = await send(`${server.origin}/nothing`, {
      headers: { accept: 'application/json' },
    })
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
  })

  it('IN-09 the worst texts we know cost the pages no more than others', async () => {
    const hard = [
      'a'.repeat(14_000),
      '@'.repeat(1000),
      `${'a.'.repeat(500)}@`,
      `a@${'a-'.repeat(400)}`,
      `a@${'a.'.repeat(400)}!`,
      ' '.repeat(14_000),
      '\t'.repeat(4000),
      '('.repeat(4000),
      'http://'.repeat(500),
      '<'.repeat(4000),
      '%20'.repeat(300),
      'ﬁ'.repeat(1000),
      '́'.repeat(3000),
    ]
    const signUp = await atSignUp(server, { headers: elsewhere() })
    const slowest: number[] = []
    for (const text of hard)
      for (const field of ['name', 'email', 'password']) {
        const values = { name: 'Ada', email: 'in09@example.org', password: 'short', [field]: text }
        const began = performance.now()
        const { status } = await post(
          signUp,
          new URLSearchParams({ _csrf: csrfOf(signUp), ...values }).toString(),
        )
        slowest.push(performance.now() - began)
        expect([field, text.slice(0, 10), status === 400 || status === 413]).toEqual([
          field,
          text.slice(0, 10),
          true,
        ])
      }
    // Backtracking would take minutes; a busy machine does not.
    expect(Math.max(...slowest)).toBeLessThan(5000)
  })

  it('IN-10 paths are decoded once: no spelling reaches what another one does not', async () => {
    const { browser } = await newPerson(server, { browser: { headers: elsewhere() } })
    const cookie = browser.jar.header(new URL('/account', server.origin)) ?? ''
    for (const path of [
      '/%2561ccount',
      '/account%2f..%2faccount',
      '/%252e%252e/account',
      '/%c0%ae%c0%ae/account',
      '/..%2faccount',
      '/account%00',
      '/account%20',
      '/account;',
      '/account%3f',
      '/%5caccount',
      '/account%252fprofile',
      '/%E0%80%AFaccount',
      '/account/%2e%2e%2f%2e%2e',
      '/%',
      '/%a',
      '/%zz',
      '/account%',
      '/%ff',
    ])
      expect([
        path,
        [400, 404].includes(
          (await send(`${server.origin}${path}`, { headers: { cookie } })).status,
        ),
      ]).toEqual([path, true])
  })
})

describe('IN-11 a check that breaks is a check that fails', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ config: { trustedProxyHops: 1 } })
  })
  afterAll(() => server.stop())

  /** Runs with one method of a use case broken in a way that nobody foresaw. */
  async function broken<T extends object>(
    owner: T,
    method: keyof T & string,
    run: () => Promise<void>,
  ): Promise<void> {
    const healthy = Object.getOwnPropertyDescriptor(owner, method)
    let isAsked = false
    Object.defineProperty(owner, method, {
      configurable: true,
      value: () => {
        isAsked = true
        throw new TypeError(`${method} is broken`)
      },
    })
    try {
      await run()
    } finally {
      if (healthy) Object.defineProperty(owner, method, healthy)
      else Reflect.deleteProperty(owner, method)
    }
    expect([method, isAsked]).toEqual([method, true])
  }

  const expectRefused = (page: Page) =>
    expect([page.url.pathname, page.status >= 500 && page.status <= 503]).toEqual([
      page.url.pathname,
      true,
    ])

  it('IN-11 signing in: ledger, hash, known device, interaction', async () => {
    const { context } = server
    const account = await createAccount(server)
    const home = await atLogin(server, { headers: elsewhere() })
    await submitLogin(home, account.email, PASSWORD)
    for (const name of ['gatehouse_session', 'gatehouse_session.sig']) home.jar.delete(name)
    const guards = [
      [context.attempts, 'reserved'],
      [context.hasher, 'verify'],
      [context.devices, 'arrive'],
      [context.interactions, 'get'],
      [context.interactions, 'login'],
    ] as const
    for (const [owner, method] of guards) {
      await home.visit('/login', elsewhere())
      await broken(owner as unknown as Record<string, unknown>, method, async () => {
        expectRefused(await submitLogin(home, account.email, PASSWORD))
        expect(await isSignedIn(home)).toBe(false)
      })
    }
    await home.visit('/login', elsewhere())
    await submitLogin(home, account.email, PASSWORD)
    expect(await isSignedIn(home)).toBe(true)
  })

  it('IN-11 the account pages: session and account', async () => {
    const { context } = server
    const { browser } = await newPerson(server, { browser: { headers: elsewhere() } })
    await broken(context.database.pool as unknown as Record<string, unknown>, 'query', async () => {
      const page = await browser.copy().visit('/account')
      expect(page.status).toBeGreaterThanOrEqual(500)
    })
    expect(await isSignedIn(browser)).toBe(true)
  })

  it('IN-11 proving an address and resetting a password: token, policy', async () => {
    const { context } = server
    const signUp = await atSignUp(server, { headers: elsewhere() })
    await broken(context.signUp, 'start', async () => {
      expectRefused(
        await signUp.copy().post(signUp.page.form().action, {
          _csrf: signUp.page.form(0).fields[0]?.value ?? '',
          name: 'Ada',
          email: 'in11@example.org',
          password: PASSWORD,
        }),
      )
    })
    await signUp.submit('/sign-up', { name: 'Ada', email: 'in11@example.org', password: PASSWORD })
    const code = await server.inbox.code('in11@example.org')
    const form = signUp.page.form('/verify-email')
    await broken(context.tokens, 'judge', async () => {
      expectRefused(await signUp.submit(form, { code }))
      expect(await isSignedIn(signUp)).toBe(false)
    })
    expect((await dump(server, ['account']))['account']).not.toContain('in11@example.org')
    expect((await signUp.submit(form, { code })).status).toBe(200)
    expect(await isSignedIn(signUp)).toBe(true)
  })

  it('IN-11 a limiter or a CSRF check that cannot decide lets nobody pass', async () => {
    const account = await createAccount(server)
    const browser = await atLogin(server, { headers: elsewhere() })
    const before = server.context.hasher.stats.evaluations
    const form = browser.page.form('/login')
    // A token that is no text of the alphabet, and one of another length: the comparison must not
    // throw its way past.
    for (const token of ['\u{1f600}', '%', '=', 'A'.repeat(10_000)]) {
      const { status } = await browser
        .copy()
        .post(form.action.pathname, { _csrf: token, username: account.email, password: PASSWORD })
      expect([token.slice(0, 5), status]).toEqual([token.slice(0, 5), 403])
    }
    expect(server.context.hasher.stats.evaluations).toBe(before)
    expect(new AppError('forbidden').status).toBe(403)
  })
})
