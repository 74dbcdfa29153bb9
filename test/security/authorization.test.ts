import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import {
  createAccount,
  createClient,
  createResource,
  type NewClient,
  REDIRECT_URI,
} from '../support/factories.ts'
import { fastest } from '../support/fastest.ts'
import { send } from '../support/http.ts'
import { storeOddClient } from '../support/odd-clients.ts'
import {
  type Answer,
  authorizationUrl,
  authorize,
  CHALLENGE,
  get,
  nobody,
  post,
  type SignedInApp,
  signedInApp,
  signIn,
  VERIFIER,
} from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let app: SignedInApp
let spa: SignedInApp
let clientId: string

beforeAll(async () => {
  server = await startServer()
  app = await signedInApp(server)
  spa = await signedInApp(server, { secret: null })
  clientId = app.client.clientId
})
afterAll(() => server.stop())

/** What went back to the app. */
function answered({ location }: Pick<Answer, 'location'>): Record<string, string> {
  expect(location && location.origin + location.pathname).toBe(REDIRECT_URI)
  return Object.fromEntries(location?.searchParams ?? [])
}

describe('PKCE', () => {
  it.each<[string, Readonly<Record<string, string | undefined>>]>([
    ['no challenge', { code_challenge: undefined, code_challenge_method: undefined }],
    ['a method without challenge', { code_challenge: undefined }],
    ['a challenge without method, which means plain', { code_challenge_method: undefined }],
    ['plain', { code_challenge: VERIFIER, code_challenge_method: 'plain' }],
    ['an unknown method', { code_challenge_method: 's256' }],
    ['an empty challenge', { code_challenge: '' }],
    ['a challenge of 42 characters', { code_challenge: 'a'.repeat(42) }],
    ['a challenge of 129 characters', { code_challenge: 'a'.repeat(129) }],
    ['a challenge with padding', { code_challenge: `${CHALLENGE}=` }],
  ])('AZ-03 refuses %s, of confidential and of public clients', async (_what, change) => {
    for (const id of [clientId, spa.client.clientId]) {
      const answer = answered(await authorize(server, id, change))
      expect(answer).toMatchObject({
        error: 'invalid_request',
        state: 'the-state',
        iss: server.origin,
      })
    }
  })

  it.each<[string, string | undefined]>([
    ['none', undefined],
    ['an empty one', ''],
    ['another one', 'another-verifier-of-these-tests-43-characters'],
    ['the challenge itself', CHALLENGE],
    ['one in other case', VERIFIER.toUpperCase()],
    ['one character less', VERIFIER.slice(0, -1)],
    ['a space behind', `${VERIFIER} `],
    ['one of 129 characters', 'a'.repeat(129)],
  ])(
    'AZ-03 TK-02 gives nothing for a code when the verifier is wrong: %s',
    async (_what, verifier) => {
      for (const each of [app, spa]) {
        const { status, body } = await each.redeem(await each.code(), { code_verifier: verifier })
        expect([status, body.error, body.access_token]).toEqual([
          400,
          expect.stringMatching(/^invalid_(grant|request)$/),
          undefined,
        ])
      }
    },
  )

  it('AZ-03 accepts the right verifier', async () => {
    for (const each of [app, spa]) expect((await each.redeem(await each.code())).status).toBe(200)
  })
})

describe('response types and modes', () => {
  it.each([
    'token',
    'id_token',
    'id_token token',
    'code token',
    'code id_token',
    'code id_token token',
    'none',
    'nothing',
  ])('AZ-04 supports no response_type %s', async (type) => {
    const modes = ['query', 'fragment', 'form_post'] as const
    const any = await createClient(server, { responseModes: [...modes] })
    for (const client of [any, app.client])
      for (const mode of [undefined, 'query', 'fragment']) {
        const asked = { response_type: type, response_mode: mode }
        const { location } = await authorize(server, client.clientId, asked)
        expect(location?.href.startsWith(`${REDIRECT_URI}${location.hash ? '#' : '?'}`)).toBe(true)
        const answer = Object.fromEntries(
          new URLSearchParams(location?.hash.slice(1) || location?.search),
        )
        expect(answer).toMatchObject({ error: 'unsupported_response_type', iss: server.origin })
        expect(answer).not.toHaveProperty('code')
      }
  })

  it.each<[string, Readonly<Record<string, string>>]>([
    ['a redirect URI that is not registered', { redirect_uri: 'https://evil.example/' }],
    ['a client that nobody knows', { client_id: 'nobody' }],
  ])('AZ-02 AZ-04 response_type=token with %s is a page', async (_what, change) => {
    const { status, location } = await authorize(server, clientId, {
      response_type: 'token',
      ...change,
    })
    expect([status, location]).toEqual([400, undefined])
  })

  it('AZ-04 supports no grant by password, no implicit grant, and says so', async () => {
    const { status, body } = await post(server, '/token', {
      grant_type: 'password',
      username: 'a',
      password: 'b',
      client_id: spa.client.clientId,
    })
    expect([status, body.error]).toEqual([400, 'unsupported_grant_type'])
    const { body: metadata } = await get(
      new URL('/.well-known/openid-configuration', server.origin),
    )
    expect(metadata).toMatchObject({
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    })
    expect(metadata.grant_types_supported.toSorted()).toEqual([
      'authorization_code',
      'client_credentials',
      'refresh_token',
    ])
  })

  it('AZ-05 says in every answer who gives it, errors included (RFC 9207)', async () => {
    const { url } = await app.browser.visit(authorizationUrl(server, clientId))
    expect(url.searchParams.get('iss')).toBe(server.origin)
    for (const change of [
      { scope: 'nothing' },
      { prompt: 'none' },
      { max_age: '-1' },
      { code_challenge: undefined },
      { response_type: undefined },
    ])
      expect(answered(await authorize(server, clientId, change))['iss']).toBe(server.origin)
  })
})

describe('response_mode=form_post', () => {
  const modes: NewClient = { responseModes: ['query', 'form_post'] }
  const HOSTILE = '"><script>alert(1)</script>\'&<img src=x onerror=alert(1)>'

  it('AZ-06 posts code, state and iss to the app by a form that works without JavaScript', async () => {
    const posting = await signedInApp(server, modes)
    const page = await posting.browser.visit(
      authorizationUrl(server, posting.client.clientId, {
        response_mode: 'form_post',
        state: HOSTILE,
      }),
    )
    const form = page.form(0)
    expect([page.status, form.action.href, form.method]).toEqual([200, REDIRECT_URI, 'POST'])
    const values = Object.fromEntries(
      form.fields.filter(({ name }) => name).map(({ name, value }) => [name, value]),
    )
    expect(values).toEqual({
      code: expect.stringMatching(/^[\w-]{40,}$/),
      state: HOSTILE,
      iss: server.origin,
    })
    expect(form.fields.some(({ type, text }) => type === 'submit' && text)).toBe(true)
    expect((await posting.redeem(values['code'] ?? '')).status).toBe(200)
  })

  it('AZ-06 WB-01 escapes what it shows, runs no script of the page, has that one form, and is not kept', async () => {
    const page = await app.browser.visit(
      authorizationUrl(server, clientId, { response_mode: 'form_post', state: HOSTILE }),
    )
    const policy = page.response.headers.get('content-security-policy') ?? ''
    // Chromium would hold it against every redirect of the app too.
    expect(policy).not.toContain('form-action')
    expect(page.forms.map(({ action }) => action.href)).toEqual([REDIRECT_URI])
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe-|sha256-/)
    expect(page.text).not.toContain('<img src=x')
    expect([...page.text.matchAll(/<script(?![^>]*\ssrc=)/g)]).toEqual([])
    expect(page.response.headers.get('cache-control')).toBe('no-store')
  })

  it('AZ-06 gives errors back the same way, and keeps a state of 2 kB to the letter', async () => {
    const state = 'é<&"\''.repeat(400).slice(0, 2000)
    const page = await app.browser.visit(
      authorizationUrl(server, clientId, {
        response_mode: 'form_post',
        code_challenge: undefined,
        state,
      }),
    )
    const values = Object.fromEntries(page.form(0).fields.map(({ name, value }) => [name, value]))
    expect([values['error'], values['state'] === state, values['iss']]).toEqual([
      'invalid_request',
      true,
      server.origin,
    ])
    expect(page.form(0).action.href).toBe(REDIRECT_URI)
  })

  it('AZ-06 posts to nobody before the address is proven', async () => {
    const { status, text } = await authorize(server, clientId, {
      response_mode: 'form_post',
      redirect_uri: 'https://evil.example/',
    })
    expect([status, /<form[^>]*method="post"/.test(text)]).toEqual([400, false])
  })

  it('AZ-06 allows a client its registered modes only', async () => {
    const { client } = await server.context.clients.create({
      name: 'Query only',
      redirectUris: [REDIRECT_URI],
      responseModes: ['query'],
    })
    for (const mode of ['form_post', 'fragment', 'web_message', 'jwt', 'nothing']) {
      const { status, location, text } = await authorize(server, client.id, { response_mode: mode })
      expect([
        status,
        location?.searchParams.has('code') ?? false,
        text.includes('name="code"'),
      ]).not.toEqual([200, true, true])
      expect(location?.searchParams.get('error') ?? location?.hash ?? text).toMatch(
        /invalid_request|unsupported_response_mode/,
      )
    }
  })
})

describe('parameters', () => {
  it.each([
    'state',
    'nonce',
    'scope',
    'response_type',
    'code_challenge',
    'code_challenge_method',
    'prompt',
    'max_age',
    'resource',
  ])('AZ-07 refuses %s twice', async (name) => {
    const value = authorizationUrl(server, clientId).searchParams.get(name) ?? '1'
    const { status, location } = await authorize(server, clientId, { [name]: [value, value] })
    expect([status, location?.searchParams.get('error') ?? 'invalid_request']).toEqual([
      location ? 303 : 400,
      expect.stringMatching(/invalid_request|invalid_target/),
    ])
    expect(location?.searchParams.has('code') ?? false).toBe(false)
  })

  it('AZ-07 refuses a parameter of the token endpoint twice', async () => {
    const { status, body } = await app.redeem(await app.code(), {
      code_verifier: [VERIFIER, VERIFIER],
    })
    expect([status, body.error]).toEqual([400, 'invalid_request'])
  })

  it('AZ-07 ignores what it does not know, and takes an empty parameter as absent', async () => {
    expect(
      await app.code({
        nothing: 'x',
        max_age: '',
        prompt: '',
        ui_locales: '',
        id_token_hint: '',
        acr_values: '',
      }),
    ).toBeTruthy()
    const { status, location } = await authorize(server, clientId, {
      nothing: '<script>',
      request_uri: '',
      claims: '',
    })
    expect([status, location?.pathname.startsWith('/interaction/')]).toEqual([303, true])
  })

  it('AZ-08 keeps 2 kB of state and nonce to the letter', async () => {
    const state = `é ${'%"<+&='.repeat(30)}${'x'.repeat(1800)}`.slice(0, 2000)
    const { url } = await app.browser.visit(
      authorizationUrl(server, clientId, { state, nonce: state }),
    )
    expect(url.searchParams.get('state')).toBe(state)
    const { body } = await app.redeem(url.searchParams.get('code') ?? '')
    expect(JSON.parse(Buffer.from(body.id_token.split('.')[1], 'base64url').toString()).nonce).toBe(
      state,
    )
  })

  it('AZ-08 takes all that is left of 8 kB for state, by POST too, and gives it back to the letter', async () => {
    const bare = authorizationUrl(server, clientId, { state: 'é"' })
    const { pathname, searchParams } = bare
    const rest = (pathname + bare.search).length
    const state = `é"${'x'.repeat(8192 - rest)}`
    for (const mode of [undefined, 'form_post']) {
      searchParams.set('state', mode ? state.slice(0, -50) : state)
      if (mode) searchParams.set('response_mode', mode)
      const { status, headers } = await post(server, pathname, Object.fromEntries(searchParams))
      expect(status).toBe(303)
      const page = await app.browser.visit(new URL(headers.get('location') ?? '', server.origin))
      const given = mode
        ? page.form(0).fields.find(({ name }) => name === 'state')?.value
        : page.url.searchParams.get('state')
      expect(given).toBe(searchParams.get('state'))
    }
    const more = { ...Object.fromEntries(searchParams), state: `${state}x`, response_mode: '' }
    expect((await post(server, pathname, more)).status).toBe(400)
  })

  it('AZ-08 a person who has to sign in first comes back with all of a state of 7 kB', async () => {
    const state = 'x'.repeat(7000)
    const asking = await createClient(server, { firstParty: true })
    const browser = new Browser(server.origin)
    await browser.visit(authorizationUrl(server, asking.clientId, { state }))
    const { text, url } = await signIn(browser, (await createAccount(server)).email)
    expect(url.searchParams.get('state') ?? text).toContain(state)
  })

  it.each<[string, Readonly<Record<string, string>>]>([
    ['9 kB of state', { state: 'x'.repeat(9000) }],
    ['3 kB of nonce', { nonce: 'x'.repeat(3000) }],
    ['3 kB of a parameter that is named as what every object has', { toString: 'x'.repeat(3000) }],
    ['51 scopes', { scope: Array.from({ length: 51 }, (_, index) => `s${index}`).join(' ') }],
    ['3 kB of scope', { scope: `openid ${'x'.repeat(3000)}` }],
    [
      '9 kB of address',
      Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`p${index}`, 'x'.repeat(1000)])),
    ],
  ])('AZ-08 refuses %s with a page', async (_what, change) => {
    const { status, location } = await authorize(server, clientId, change)
    expect([status, location]).toEqual([400, undefined])
  })

  it('AZ-08 takes no longer for what is large or deep', async () => {
    const large = [
      '('.repeat(2000),
      '%'.repeat(2000),
      'a '.repeat(900),
      '{"a":'.repeat(400),
      `${'a'.repeat(1900)}!`,
    ]
    for (const value of large) {
      const cost = await fastest(async () => {
        for (const name of [
          'state',
          'scope',
          'claims',
          'login_hint',
          'ui_locales',
          'id_token_hint',
          'acr_values',
        ])
          expect((await authorize(server, clientId, { [name]: value })).status).toBeLessThan(500)
      }, 3)
      expect(cost).toBeLessThan(1500)
    }
  })

  it('AZ-13 takes no request object, neither by value nor by reference, and fetches nothing', async () => {
    const asked: string[] = []
    const { origin } = server
    for (const change of [
      { request_uri: `${origin}/request` },
      { request_uri: 'http://169.254.169.254/' },
      { request_uri: 'urn:ietf:params:oauth:request_uri:x' },
      { request: 'e30.e30.' },
      { registration: '{}' },
    ]) {
      const answer = answered(await authorize(server, clientId, change))
      asked.push(answer['error'] ?? '')
      expect(answer).not.toHaveProperty('code')
    }
    expect(asked).toEqual([
      'request_uri_not_supported',
      'request_uri_not_supported',
      'request_uri_not_supported',
      'request_not_supported',
      'registration_not_supported',
    ])
    const { body } = await get(new URL('/.well-known/openid-configuration', origin))
    expect(body).toMatchObject({
      request_uri_parameter_supported: false,
      claims_parameter_supported: true,
    })
    expect(body.request_parameter_supported ?? false).toBe(false)
  })
})

describe('the way through the pages', () => {
  it('AZ-10 answers a POST of credentials with 303, which no browser repeats as POST', async () => {
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    await browser.visit(authorizationUrl(server, clientId))
    let page = await browser.submit(
      '/login',
      { username: account.email, password: account.password },
      { follow: false },
    )
    const statuses: number[] = []
    while (
      page.response.headers.get('location')?.startsWith(server.origin) ||
      page.response.headers.get('location')?.startsWith('/')
    ) {
      statuses.push(page.status)
      const next = new URL(page.response.headers.get('location') ?? '', server.origin)
      const cookie = browser.jar.header(next)
      const response = await send(next, { headers: cookie ? { cookie } : {} })
      browser.jar.store(next, response.headers.getSetCookie())
      page = Object.assign(page, { response })
    }
    expect(new Set(statuses)).toEqual(new Set([303]))
    expect(await page.response.text()).toMatch(
      /<meta http-equiv="refresh" content="0;url=https:\/\/client\.example\/callback\?code=/,
    )
  })

  it('AZ-11 WB-01 no page can be framed', async () => {
    const browser = new Browser(server.origin)
    const pages = [
      await browser.visit(authorizationUrl(server, clientId)),
      await browser.visit(authorizationUrl(server, 'nobody')),
      await app.browser.visit(authorizationUrl(server, clientId, { response_mode: 'form_post' })),
      await app.browser.visit('/account'),
      await app.browser.visit('/session/end'),
      await browser.visit('/nothing'),
      await browser.visit('/interaction/nothing/login'),
      await browser.visit('/login'),
      await browser.visit('/signup'),
    ]
    for (const { response } of pages) {
      expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(response.headers.get('x-frame-options')).toBe('DENY')
    }
  })

  it('accepts an authorization request by POST, as a form, once each parameter (OIDC Core 3.1.2.1)', async () => {
    const fields = Object.fromEntries(authorizationUrl(server, clientId).searchParams)
    const posted = await post(server, '/auth', fields)
    expect([
      posted.status,
      posted.location?.pathname,
      posted.location?.searchParams.get('state'),
    ]).toEqual([303, '/auth', 'the-state'])
    const { url } = await app.browser.visit(posted.location ?? '')
    expect(url.searchParams.get('code')).toBeTruthy()
    expect((await post(server, '/auth', { ...fields, state: ['a', 'b'] })).status).toBe(400)
    expect(
      (await post(server, '/auth', fields, { 'content-type': 'application/json' })).status,
    ).toBe(415)
  })
})

describe('consent', () => {
  it.each<[string, Parameters<typeof signedInApp>[1], boolean]>([
    ['a confidential client of the operator', {}, true],
    ['a public client of the operator at an https address', { secret: null }, true],
    [
      'a public client on loopback, whatever it is called',
      {
        secret: null,
        redirectUri: 'http://127.0.0.1:5000/cb',
        type: 'native',
        redirectUris: ['http://127.0.0.1/cb', 'https://app.example/cb'],
      },
      false,
    ],
    [
      'a native app with a scheme that any app can claim',
      {
        secret: null,
        type: 'native',
        redirectUris: ['com.example.app:/cb', 'https://app.example/cb'],
      },
      false,
    ],
    ['a confidential client of somebody else', { firstParty: false }, false],
  ])('AZ-14 asks %s: skipped %s', async (_what, options, isSkipped) => {
    const { browser, client } = await signedInApp(server, options)
    const page = await browser.visit(
      authorizationUrl(server, client.clientId, { redirect_uri: client.redirectUri }),
    )
    expect([page.isForeign, page.step]).toEqual([isSkipped, isSkipped ? 'app' : 'consent'])
  })

  it.each([
    ['a native app', { type: 'native' as const, redirectUris: ['com.example.app:/cb'] }],
    [
      'an app in the browser, on loopback',
      { type: 'spa' as const, redirectUris: ['http://127.0.0.1:5173/cb'] },
    ],
    ['an app in the browser, on localhost', { redirectUris: ['http://localhost:5173/cb'] }],
  ])(
    'AZ-14 asks %s again each time, however often it was allowed (RFC 8252 8.6)',
    async (_what, registration) => {
      const { browser, client } = await signedInApp(server, {
        secret: null,
        firstParty: false,
        ...registration,
      })
      const url = authorizationUrl(server, client.clientId, { redirect_uri: client.redirectUri })
      await browser.visit(url)
      const back = await browser.submit('/consent', {}, { button: 'allow' })
      expect(back.url.href.startsWith(`${client.redirectUri}?code=`)).toBe(true)
      expect((await browser.visit(url)).step).toBe('consent')
      const silent = await browser.visit(
        authorizationUrl(server, client.clientId, {
          redirect_uri: client.redirectUri,
          prompt: 'none',
        }),
      )
      expect(silent.url.searchParams.get('error')).toMatch(/interaction_required|consent_required/)
      expect(silent.url.searchParams.has('code')).toBe(false)
    },
  )

  it('CL-05 asks again for the very same: the scopes of an API stay its own and are not new', async () => {
    const api = await createResource(server, {
      identifier: 'https://asked-again.example/',
      scopes: ['plants:read'],
    })
    const client = await createClient(server)
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    const change = {
      scope: 'openid offline_access plants:read',
      prompt: 'consent',
      resource: api.identifier,
    }
    const ask = () => browser.visit(authorizationUrl(server, client.clientId, change))
    await ask()
    const first = await signIn(browser, account.email)
    expect((await browser.submit('/consent', {}, { button: 'allow' })).isForeign).toBe(true)
    const again = await ask()
    expect(again.words).toBe(first.words)
    expect((await browser.submit('/consent', {}, { button: 'allow' })).isForeign).toBe(true)
    const { words } = await browser.visit('/account/apps')
    expect(words.split('plants:read')).toHaveLength(2)
  })

  it('CL-05 says in words what the account API gives away, and believes no other API that uses the same name', async () => {
    const other = await createResource(server, {
      identifier: 'https://same-name.example/',
      scopes: ['account'],
    })
    const account = await createAccount(server)
    const pageFor = async (resource: string) => {
      const browser = new Browser(server.origin)
      const client = await createClient(server, {
        accountApi: true,
        resources: resource === other.identifier ? [resource] : [],
      })
      await browser.visit(
        authorizationUrl(server, client.clientId, { scope: 'openid account', resource }),
      )
      return (await signIn(browser, account.email)).words
    }
    const ours = await pageFor(`${server.origin}/api/auth`)
    expect(ours).toContain('Manage your account')
    expect(ours).toContain(
      'change your address, password and two-step sign-in, download your data and delete the account',
    )
    const words = await pageFor(other.identifier)
    expect(words).not.toContain('Manage your account')
    expect(words).toContain(other.identifier)
  })

  it('CL-05 UX-31 UX-35 groups what an app asks of APIs by their names, in the words of whoever registered them', async () => {
    const hostile = '<b>"Notes" & \u05d0</b>'
    const notes = await createResource(server, {
      identifier: 'https://notes.example/',
      name: 'Notes <&> more',
      scopes: ['notes:read', 'notes:write', 'constructor'],
      scopeDescriptions: { 'notes:read': 'Read your notes', 'notes:write': hostile },
    })
    const bills = await createResource(server, {
      identifier: 'https://bills.example/',
      name: 'Bills',
      scopes: ['bills:read'],
      scopeDescriptions: { 'bills:read': 'See your bills' },
    })
    const account = await createAccount(server)
    const client = await createClient(server)
    const browser = new Browser(server.origin)
    const url = authorizationUrl(server, client.clientId, {
      scope: `openid offline_access ${[...notes.scopes, ...bills.scopes].join(' ')}`,
      prompt: 'consent',
    })
    for (const { identifier } of [notes, bills]) url.searchParams.append('resource', identifier)
    await browser.visit(url)
    const consent = await signIn(browser, account.email)
    await browser.submit('/consent', {}, { button: 'allow' })
    const apps = await browser.visit('/account/apps')
    for (const { words, text } of [consent, apps]) {
      const order = [
        'Bills',
        'See your bills',
        'Notes <&> more',
        'Read your notes',
        hostile,
        'constructor',
      ]
      const places = order.map((each) => words.indexOf(each))
      expect(places).toEqual(places.toSorted((a, b) => a - b))
      expect(places[0]).toBeGreaterThan(-1)
      for (const name of ['notes:read', 'notes:write', 'bills:read', 'native code'])
        expect(words).not.toContain(name)
      expect(text).not.toContain('<b>"Notes"')
      for (const each of ['Notes &lt;&amp;&gt; more', 'Read your notes', 'constructor'])
        expect(text).toContain(`<bdi>${each}</bdi>`)
    }
  })

  it("CL-05 names the app, the account, the scopes in words, how long and where to; only a POST with the page's token decides", async () => {
    const client = await createClient(server, { name: 'Plant <Diary> & Co' })
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    await browser.visit(
      authorizationUrl(server, client.clientId, {
        scope: 'openid email offline_access',
        prompt: 'consent',
      }),
    )
    const page = await signIn(browser, account.email)
    for (const words of [
      'Plant <Diary> & Co',
      account.email,
      'client.example',
      'until you remove it',
    ])
      expect(page.words).toContain(words)
    expect(page.words).not.toContain('offline_access')
    expect(page.text).not.toContain('<Diary>')
    const action = page.form('/consent').action
    for (const attempt of [
      await browser.copy().visit(`${action.href}?decision=allow`),
      await browser.copy().post(action, { decision: 'allow' }),
      await browser.copy().post(action, { decision: 'allow', _csrf: nobody() }),
    ])
      expect([attempt.isForeign, attempt.url.searchParams.has('code')]).toEqual([false, false])
    const back = await browser.submit('/consent', {}, { button: 'deny' })
    expect(answered({ location: back.url })).toEqual({
      error: 'access_denied',
      error_description: expect.any(String),
      state: 'the-state',
      iss: server.origin,
    })
    const again = await browser.post(action, { decision: 'allow' })
    expect(again.isForeign).toBe(false)
  })

  it("CL-03 links to the app's own pages say nothing about where they come from, and nothing of them is fetched", async () => {
    const client = await storeOddClient(server, 'its links are not well written', {
      metadata: {
        policy_uri: 'https://client.example/privacy?a="b',
        tos_uri: 'https://client.example/terms',
        logo_uri: 'https://client.example/logo.svg',
      },
    })
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    await browser.visit(authorizationUrl(server, client.clientId))
    const page = await signIn(browser, account.email)
    const links = [...page.text.matchAll(/<a [^>]*href="https:\/\/client\.example[^>]*>/g)].map(
      ([tag]) => tag,
    )
    expect(links.length).toBe(2)
    for (const tag of links)
      for (const rel of ['noopener', 'noreferrer', 'nofollow'])
        expect(tag).toMatch(new RegExp(`rel="[^"]*${rel}`))
    expect(page.response.headers.get('content-security-policy')).not.toContain(
      'client.example/logo',
    )
    expect(page.text).not.toContain('a="b')
    expect(page.text).not.toContain('logo.svg')
  })

  it.each([
    'javascript:alert(1)',
    'data:image/svg+xml,<svg/>',
    'http://client.example/',
    'https://u:p@client.example/',
    'https://localhost/',
    '//client.example/',
  ])('CL-03 registers no %s as a link of an app', async (uri) => {
    for (const field of ['logoUri', 'policyUri', 'tosUri', 'clientUri'])
      await expect(
        server.context.clients.create({ name: 'App', redirectUris: [REDIRECT_URI], [field]: uri }),
      ).rejects.toMatchObject({
        code: 'invalid_input',
      })
  })
})

it('the challenge of these tests is S256 of the verifier', () => {
  expect(CHALLENGE).toBe(createHash('sha256').update(VERIFIER).digest('base64url'))
})
