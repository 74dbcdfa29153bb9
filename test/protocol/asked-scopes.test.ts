import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser, type Page } from '../support/browser.ts'
import {
  createAccount,
  createClient,
  createResource,
  type NewClient,
} from '../support/factories.ts'
import {
  authorizationUrl,
  authorize,
  basic,
  post,
  type SignedInApp,
  signedInApp,
  signIn,
  VERIFIER,
} from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

type Change = Parameters<typeof authorizationUrl>[2]

const NOTES = 'https://notes.example/'
const BILLS = 'https://bills.example/'
const OFFLINE = 'openid offline_access'

let server: TestServer

beforeAll(async () => {
  server = await startServer()
  await createResource(server, { identifier: NOTES, scopes: ['notes:read', 'notes:write'] })
  await createResource(server, { identifier: BILLS, scopes: ['bills:read'] })
})
afterAll(() => server.stop())

/** What the answer says was given. */
async function given(app: SignedInApp, change: Change): Promise<string> {
  const { status, body } = await app.redeem(await app.code(change))
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body.scope
}

async function redeemed(
  client: { clientId: string; clientSecret: string | undefined },
  page: Page,
) {
  const { url } = page
  const { body } = await post(
    server,
    '/token',
    {
      grant_type: 'authorization_code',
      code: url.searchParams.get('code') ?? '',
      redirect_uri: `${url.origin}${url.pathname}`,
      code_verifier: VERIFIER,
    },
    basic(client),
  )
  return body
}

async function refused(clientId: string, change: Change): Promise<Record<string, string>> {
  const { location } = await authorize(server, clientId, change)
  return Object.fromEntries(location?.searchParams ?? [])
}

describe('scopes at /auth', () => {
  it('RFC 6749 3.3 an app that asks for all of scopes_supported gets those that it may have', async () => {
    const metadata = await fetch(`${server.origin}/.well-known/openid-configuration`)
    const { scopes_supported: all } = (await metadata.json()) as Record<string, string[]>
    const app = await signedInApp(server, { scopes: ['openid', 'email'] })
    expect(await given(app, { scope: all?.join(' ') })).toBe('openid email')
  })

  it.each([
    ['that nobody knows', 'openid email unheard:of', 'openid email'],
    ['of the person that it may not have', 'phone openid email', 'openid email'],
    ['of an API that it may not use', 'openid bills:read', 'openid'],
    ['of its API that it may not have', 'openid notes:write', 'openid'],
    ['of the account API', 'openid account', 'openid'],
    ['that it asks for twice', 'openid email openid', 'openid email'],
  ])(
    'RFC 6749 3.3 CL-01 a scope %s is left out, and the answer says so',
    async (_what, scope, is) => {
      const app = await signedInApp(server, {
        resources: [NOTES],
        scopes: ['openid', 'email', 'notes:read'],
      })
      expect(await given(app, { scope })).toBe(is)
    },
  )

  it('CL-01 of the API that is named the scopes that the app may have are given, and no others', async () => {
    const app = await signedInApp(server, {
      resources: [NOTES],
      scopes: ['openid', 'notes:read'],
    })
    const change = { scope: 'openid notes:read notes:write bills:read', resource: NOTES }
    expect(await given(app, change)).toBe('notes:read')
  })

  it.each([
    ['nobody knows it', 'unheard:of', undefined],
    ['it may not have any', 'phone bills:read', undefined],
    ['its API does not have it', 'bills:read', NOTES],
    ['it is of the account API, which is not asked for', 'account', undefined],
  ])('AZ-01 invalid_scope names what was asked for if %s', async (_why, scope, resource) => {
    const { clientId } = await createClient(server, {
      resources: [NOTES],
      scopes: ['openid', 'notes:read'],
      accountApi: true,
    })
    for (const change of [{}, { max_age: '60', claims_locales: 'de' }, { nonce: undefined }])
      expect(await refused(clientId, { scope, resource, ...change })).toEqual({
        error: 'invalid_scope',
        error_description: expect.any(String),
        scope,
        state: 'the-state',
        iss: server.origin,
      })
  })

  it('AZ-01 is no redirect to a place that is not proven, and other faults of the request come first', async () => {
    const { clientId } = await createClient(server, {
      resources: [NOTES],
      scopes: ['openid'],
    })
    const elsewhere = { scope: 'unheard:of', redirect_uri: 'https://evil.example/' }
    const { status, location } = await authorize(server, clientId, elsewhere)
    expect([status, location]).toEqual([400, undefined])
    const faults = {
      invalid_target: { resource: BILLS },
      invalid_request: { code_challenge: undefined },
    }
    for (const [error, change] of Object.entries(faults))
      expect(await refused(clientId, { scope: 'unheard:of', ...change })).toMatchObject({ error })
  })

  it('OIDC Core 3.1.2.1 without the openid that it may not have, its nonce is of no use and no fault', async () => {
    const { browser } = await signedInApp(server)
    const client = await createClient(server, {
      firstParty: true,
      resources: [NOTES],
      scopes: ['notes:read'],
    })
    const change = { scope: 'openid notes:read', resource: NOTES }
    const url = authorizationUrl(server, client.clientId, change)
    const body = await redeemed(client, await browser.visit(url))
    expect([body.scope, body.id_token]).toEqual(['notes:read', undefined])
  })

  it.each([
    ['openid', {}, 'openid'],
    ['what the operator chose', { defaultScopes: ['openid', 'email'] }, 'openid email'],
  ])(
    'RFC 6749 3.3 a request without any scope asks for %s',
    async (_what, wanted: NewClient, is) => {
      const app = await signedInApp(server, wanted)
      for (const scope of [undefined, '']) expect(await given(app, { scope })).toBe(is)
    },
  )

  it('RFC 6749 3.3 a client that may not have the default and has no other is told so', async () => {
    const { clientId } = await createClient(server, { resources: [NOTES], scopes: ['notes:read'] })
    expect(await refused(clientId, { scope: undefined })).toMatchObject({
      error: 'invalid_scope',
      scope: 'openid',
    })
  })

  it('RFC 6749 3.3 a service gets scopes that it does not name only if the operator listed them', async () => {
    const scopeOf = async (wanted: NewClient, change: Record<string, string> = {}) => {
      const client = await createClient(server, { type: 'service', ...wanted })
      const both = [{ grant_type: 'client_credentials', ...change }, { client_id: client.clientId }]
      const answers = await Promise.all(
        [both[0], { ...both[0], ...both[1] }].map((form) =>
          post(server, '/token', form ?? {}, basic(client)),
        ),
      )
      const [fast, engine] = answers.map(({ status, body }) => [status, body.scope])
      expect(fast).toEqual(engine)
      return fast
    }
    const apis = { resources: [NOTES, BILLS] }
    const defaults = { ...apis, defaultScopes: ['notes:read', 'bills:read'] }
    expect(await scopeOf(apis, { resource: NOTES })).toEqual([200, undefined])
    expect(await scopeOf(defaults, { resource: NOTES })).toEqual([200, 'notes:read'])
    expect(await scopeOf(defaults, { resource: BILLS })).toEqual([200, 'bills:read'])
    expect(await scopeOf(defaults, { resource: NOTES, scope: 'notes:write' })).toEqual([
      200,
      'notes:write',
    ])
    expect(await scopeOf(defaults, { resource: NOTES, scope: 'bills:read' })).toEqual([
      400,
      'bills:read',
    ])
  })
})

describe('prompt', () => {
  it('AZ-09 a value that nobody knows is dropped beside one that we know', async () => {
    const { clientId } = await createClient(server)
    const stepAt = async (prompt: string) =>
      (await new Browser(server.origin).visit(authorizationUrl(server, clientId, { prompt }))).step
    expect([await stepAt('create unheard_of'), await stepAt('unheard_of login')]).toEqual([
      'sign-up',
      'login',
    ])
    for (const prompt of ['unheard_of', 'none unheard_of', 'none login'])
      expect(await refused(clientId, { prompt })).toMatchObject({ error: 'invalid_request' })
  })
})

describe('offline_access without prompt=consent', () => {
  const ask = (browser: Browser, clientId: string, change: Change = {}): Promise<Page> =>
    browser.visit(authorizationUrl(server, clientId, { scope: OFFLINE, ...change }))

  it('OIDC Core 11 is asked for on the consent page, once, and outlives the session', async () => {
    const [client, account] = [await createClient(server), await createAccount(server)]
    const browser = new Browser(server.origin)
    await ask(browser, client.clientId)
    const consent = await signIn(browser, account.email)
    expect([consent.step, consent.words]).toEqual([
      'consent',
      expect.stringContaining('until you remove it'),
    ])
    const back = await browser.submit('/consent', {}, { button: 'allow' })
    const tokens = await redeemed(client, back)
    expect([tokens.scope, typeof tokens.refresh_token]).toEqual([OFFLINE, 'string'])
    expect(await redeemed(client, await ask(browser, client.clientId))).toMatchObject({
      scope: OFFLINE,
      refresh_token: expect.any(String),
    })
    await browser.visit('/session/end')
    await browser.submit('/session/end/confirm', {}, { button: 'logout' })
    const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }
    expect((await post(server, '/token', form, basic(client))).status).toBe(200)
  })

  it('OIDC Core 11 asks a person who allowed the rest before for it alone, also if another browser was asked', async () => {
    const [client, account] = [await createClient(server), await createAccount(server)]
    const [first, second] = [new Browser(server.origin), new Browser(server.origin)]
    for (const browser of [first, second]) {
      await ask(browser, client.clientId, { scope: 'openid' })
      const page = await signIn(browser, account.email)
      if (page.step === 'consent') await browser.submit('/consent', {}, { button: 'allow' })
    }
    const page = await ask(first, client.clientId)
    expect([page.step, page.words.match(/\bNew\b/g)]).toEqual(['consent', ['New']])
    await first.submit('/consent', {}, { button: 'allow' })
    expect((await redeemed(client, await ask(second, client.clientId))).scope).toBe(OFFLINE)
  })

  it('OIDC Core 11 AZ-09 prompt=none gives it only if it was allowed before', async () => {
    const [client, account] = [await createClient(server), await createAccount(server)]
    const [first, second] = [new Browser(server.origin), new Browser(server.origin)]
    for (const browser of [first, second]) {
      await ask(browser, client.clientId, { scope: 'openid' })
      const page = await signIn(browser, account.email)
      if (page.step === 'consent') await browser.submit('/consent', {}, { button: 'allow' })
    }
    const silently = () => ask(second, client.clientId, { prompt: 'none' })
    const without = await redeemed(client, await silently())
    expect([without.scope, without.refresh_token]).toEqual(['openid', undefined])
    await ask(first, client.clientId)
    await first.submit('/consent', {}, { button: 'allow' })
    expect((await redeemed(client, await silently())).scope).toBe(OFFLINE)
    const apps = await first.visit('/account/apps')
    const form = apps.forms.find(({ fields }) => fields.some(({ name }) => name === 'client_id'))
    await first.submit(form ?? 'missing')
    const gone = (await silently()).url.searchParams
    expect([gone.get('error'), gone.get('code')]).toEqual(['consent_required', null])
  })

  it('OIDC Core 11 is dropped for an app that may not have it or does not refresh, and as before for our own', async () => {
    for (const wanted of [
      { scopes: ['openid'] },
      { grantTypes: ['authorization_code'] },
      { firstParty: true },
    ] satisfies NewClient[]) {
      const [client, account] = [await createClient(server, wanted), await createAccount(server)]
      const browser = new Browser(server.origin)
      await ask(browser, client.clientId)
      const page = await signIn(browser, account.email)
      expect(page.words).not.toContain('until you remove it')
      const back =
        page.step === 'consent' ? await browser.submit('/consent', {}, { button: 'allow' }) : page
      const { scope, refresh_token: token } = await redeemed(client, back)
      expect([scope, token !== undefined]).toEqual(['openid', 'firstParty' in wanted])
    }
  })
})
