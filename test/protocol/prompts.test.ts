import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt, generateKeyPair, SignJWT } from 'jose'
import { Browser, type Page } from '../support/browser.ts'
import { createAccount, createClient } from '../support/factories.ts'
import {
  authorizationUrl,
  authorize,
  type SignedInApp,
  signedInApp,
  signIn,
} from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let app: SignedInApp
let clientId: string

beforeAll(async () => {
  server = await startServer()
  app = await signedInApp(server, { idTokenAlg: 'ES256' })
  clientId = app.client.clientId
})
afterAll(() => server.stop())

type Change = Parameters<typeof authorizationUrl>[2]
const visit = (browser: Browser, change: Change = {}, id = clientId): Promise<Page> =>
  browser.visit(authorizationUrl(server, id, change))
const errorOf = (page: Page): string | null => page.url.searchParams.get('error')

async function idTokenOf(page: Page, of = app) {
  const { body } = await of.redeem(page.url.searchParams.get('code') ?? '')
  return { idToken: body.id_token as string, claims: decodeJwt(body.id_token) }
}

describe('prompt', () => {
  it('AZ-09 none answers without a page: login_required, consent_required, or a code', async () => {
    const silent = await visit(new Browser(server.origin), { prompt: 'none' })
    expect([errorOf(silent), silent.url.searchParams.get('state')]).toEqual([
      'login_required',
      'the-state',
    ])
    const other = await createClient(server)
    expect(errorOf(await visit(app.browser, { prompt: 'none' }, other.clientId))).toBe(
      'consent_required',
    )
    expect((await visit(app.browser, { prompt: 'none' })).url.searchParams.has('code')).toBe(true)
  })

  it('AZ-09 none with anything else is invalid_request, and an unknown prompt too', async () => {
    for (const prompt of ['none login', 'none consent', 'nothing', 'login none']) {
      const { location } = await authorize(server, clientId, { prompt })
      expect([prompt, location?.searchParams.get('error')]).toEqual([prompt, 'invalid_request'])
    }
  })

  it('AZ-09 login asks for the password again, and auth_time is new', async () => {
    const before = (await idTokenOf(await visit(app.browser))).claims['auth_time'] as number
    await sleep(1100)
    const page = await visit(app.browser, { prompt: 'login' })
    expect(page.step).toBe('login')
    const { claims } = await idTokenOf(await signIn(app.browser, app.account.email))
    expect(claims['auth_time']).toBeGreaterThan(before)
  })

  it('AZ-09 consent asks again what was allowed already, and login consent asks for both', async () => {
    expect((await visit(app.browser, { prompt: 'consent' })).step).toBe('consent')
    expect((await visit(app.browser, { prompt: 'login consent' })).step).toBe('login')
    expect((await signIn(app.browser, app.account.email)).step).toBe('consent')
    expect((await app.browser.submit('/consent', {}, { button: 'allow' })).step).toBe('app')
  })

  it('AZ-09 select_account shows who is signed in; going on needs no password', async () => {
    const page = await visit(app.browser, { prompt: 'select_account' })
    expect([page.step, page.words.includes(app.account.email)]).toEqual(['select-account', true])
    expect((await app.browser.submit('/select-account', {}, { button: 'continue' })).step).toBe(
      'app',
    )
  })

  it('AZ-09 select_account lets another person sign in, who gets a session of their own', async () => {
    const mine = await signedInApp(server)
    const other = await createAccount(server)
    const old = mine.browser.copy()
    await visit(mine.browser, { prompt: 'select_account' }, mine.client.clientId)
    await mine.browser.submit('/select-account', {}, { button: 'other' })
    const { claims } = await idTokenOf(await signIn(mine.browser, other.email), mine)
    expect(claims.sub).toBe(other.id)
    expect(errorOf(await visit(old, { prompt: 'none' }, mine.client.clientId))).toBe(
      'login_required',
    )
  })

  it('AZ-09 create begins with signing up (Initiating User Registration 1.0), and says so in the metadata', async () => {
    const page = await visit(new Browser(server.origin), { prompt: 'create' })
    expect(page.step).toBe('sign-up')
    const metadata = (await (
      await fetch(`${server.origin}/.well-known/openid-configuration`)
    ).json()) as Record<string, string[]>
    expect(metadata['prompt_values_supported']?.toSorted()).toEqual([
      'consent',
      'create',
      'login',
      'none',
      'select_account',
    ])
  })
})

describe('max_age, id_token_hint, login_hint, acr_values', () => {
  it('AZ-09 max_age asks again when the sign-in is older, and auth_time is in the ID token', async () => {
    const { claims } = await idTokenOf(await visit(app.browser, { max_age: '3600' }))
    expect(claims['auth_time']).toEqual(expect.any(Number))
    await sleep(2100)
    expect((await visit(app.browser, { max_age: '1' })).step).toBe('login')
    expect(errorOf(await visit(app.browser, { max_age: '1', prompt: 'none' }))).toBe(
      'login_required',
    )
    expect((await visit(app.browser, { max_age: '0' })).step).toBe('login')
  })

  it.each(['-1', 'x', '1.5', '1e3', '99999999999999999999'])(
    'AZ-09 refuses max_age=%s or treats it as a number',
    async (age) => {
      const { status, location } = await authorize(server, clientId, { max_age: age })
      const isRefused = location?.searchParams.get('error') === 'invalid_request'
      expect([status, isRefused || location?.pathname.startsWith('/interaction/')]).toEqual([
        303,
        true,
      ])
    },
  )

  it('AZ-09 id_token_hint of the person signed in passes; of another one it asks for a login', async () => {
    const { idToken } = await idTokenOf(await visit(app.browser))
    expect((await visit(app.browser, { id_token_hint: idToken, prompt: 'none' })).step).toBe('app')
    expect(errorOf(await visit(app.browser, { id_token_hint: idToken, prompt: 'none' }))).toBeNull()
    const other = await signedInApp(server)
    const page = await other.browser.visit(
      authorizationUrl(server, clientId, { id_token_hint: idToken, prompt: 'none' }),
    )
    expect(errorOf(page)).toBe('login_required')
  })

  it('JW-01 JW-03 refuses an id_token_hint that is not an ID token of ours for this client', async () => {
    const { idToken, claims } = await idTokenOf(await visit(app.browser))
    const [header = '', payload = '', signature = ''] = idToken.split('.')
    const { privateKey } = await generateKeyPair('ES256')
    const own = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
    const foreign = await signedInApp(server)
    const another = await idTokenOf(
      await visit(foreign.browser, {}, foreign.client.clientId),
      foreign,
    )
    for (const hint of [
      'x',
      'x.y.z',
      own,
      none,
      `${header}.${payload}.`,
      `${header}.${payload}.${signature.toLowerCase()}`,
      another.idToken,
    ]) {
      const page = await visit(app.browser, { id_token_hint: hint })
      expect([hint.slice(0, 20), errorOf(page), page.url.searchParams.has('code')]).toEqual([
        hint.slice(0, 20),
        'invalid_request',
        false,
      ])
    }
  })

  it('AZ-09 EN-04 login_hint fills the field, escaped, and looks the same for known and unknown addresses', async () => {
    const shown = async (hint: string): Promise<Page> =>
      visit(new Browser(server.origin), { login_hint: hint })
    const known = await shown(app.account.email)
    const unknown = await shown('nobody.known@example.org')
    const value = (page: Page) =>
      page.form('/login').fields.find(({ name }) => name === 'username')?.value
    expect([value(known), value(unknown)]).toEqual([app.account.email, 'nobody.known@example.org'])
    const neutral = (page: Page, email: string) => page.words.replaceAll(email, '')
    expect(neutral(known, app.account.email)).toBe(neutral(unknown, 'nobody.known@example.org'))
    const hostile = await shown('"><script>alert(1)</script>')
    expect([hostile.status, hostile.text.includes('<script>alert')]).toEqual([200, false])
  })

  it('AZ-09 ui_locales chooses the language of the pages; claims_locales and display change nothing', async () => {
    const language = async (ui_locales: string) =>
      /<html lang="([^"]+)"/.exec(
        (await visit(new Browser(server.origin), { ui_locales })).text,
      )?.[1]
    expect([
      await language('de'),
      await language('xx de-AT en'),
      await language('ar'),
      await language('xx'),
    ]).toEqual(['de', 'de', 'ar', 'en'])
    expect((await visit(app.browser, { claims_locales: 'de', display: 'popup' })).step).toBe('app')
  })

  it('AZ-09 TF-10 acr_values that names only two factors is not met by one, and says so', async () => {
    const twoFactors = 'urn:gatehouse:acr:2fa'
    expect((await visit(app.browser, { acr_values: twoFactors })).step).not.toBe('app')
    expect(errorOf(await visit(app.browser, { acr_values: twoFactors, prompt: 'none' }))).toMatch(
      /login_required|unmet_authentication_requirements/,
    )
    const { claims } = await idTokenOf(
      await visit(app.browser, { acr_values: `${twoFactors} urn:gatehouse:acr:1fa` }),
    )
    expect([claims['acr'], claims['amr']]).toEqual(['urn:gatehouse:acr:1fa', ['pwd']])
  })
})

describe('consent that is remembered', () => {
  it('asks once, remembers it across sessions and browsers, and asks for new scopes only, marked as new (UX-31)', async () => {
    const client = await createClient(server)
    const account = await createAccount(server)
    const first = new Browser(server.origin)
    await visit(first, { scope: 'openid email' }, client.clientId)
    await signIn(first, account.email)
    await first.submit('/consent', {}, { button: 'allow' })

    const second = new Browser(server.origin)
    await visit(second, { scope: 'openid email' }, client.clientId)
    expect((await signIn(second, account.email)).step).toBe('app')
    const page = await visit(second, { scope: 'openid email phone' }, client.clientId)
    expect(page.step).toBe('consent')
    expect(page.words).toMatch(/phone number.*New|New.*phone number/i)
    expect(page.words.match(/\bNew\b/g)).toHaveLength(1)
    await second.submit('/consent', {}, { button: 'deny' })
    expect(
      errorOf(
        await visit(second, { scope: 'openid email phone', prompt: 'none' }, client.clientId),
      ),
    ).toBe('consent_required')
    expect((await visit(second, { scope: 'openid email' }, client.clientId)).step).toBe('app')
  })

  it('says access_denied with state and iss when the person does not allow it, and forgets the interaction', async () => {
    const client = await createClient(server)
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    await visit(browser, {}, client.clientId)
    const consent = await signIn(browser, account.email)
    const back = await browser.submit('/consent', {}, { button: 'deny' })
    expect(Object.fromEntries(back.url.searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'the-state',
      iss: server.origin,
    })
    const gone = await browser.visit(consent.url)
    expect([gone.status, gone.isForeign]).toEqual([400, false])
  })
})
