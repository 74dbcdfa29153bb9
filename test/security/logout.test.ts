import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { generateKeyPair, SignJWT } from 'jose'
import { Browser, type Page } from '../support/browser.ts'
import { createClient } from '../support/factories.ts'
import { send } from '../support/http.ts'
import {
  authorizationUrl,
  get,
  nobody,
  post,
  type SignedInApp,
  signedInApp,
} from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

const BYE = 'https://client.example/bye'
let server: TestServer

beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

interface SignedInWithToken extends SignedInApp {
  readonly idToken: string
}

async function signedIn(
  options: Parameters<typeof signedInApp>[1] = {},
): Promise<SignedInWithToken> {
  const app = await signedInApp(server, options)
  return { ...app, idToken: (await app.redeem(await app.code())).body.id_token }
}

const endSession = (fields: Readonly<Record<string, string>>): string =>
  `/session/end?${new URLSearchParams(fields).toString()}`
const isSignedIn = async ({ browser, client }: SignedInApp): Promise<boolean> =>
  (
    await browser.visit(authorizationUrl(server, client.clientId, { prompt: 'none' }))
  ).url.searchParams.has('code')
const confirm = (browser: Browser): Promise<Page> => browser.submit('/session/end/confirm')

describe('RP-initiated logout', () => {
  it('LO-01 ends the session once the page or the person confirms, and goes back to exactly the registered place with the state', async () => {
    const app = await signedIn()
    const state = 'a b&c=<é>'
    const page = await app.browser.visit(
      endSession({ id_token_hint: app.idToken, post_logout_redirect_uri: BYE, state }),
    )
    expect([page.status, page.words.includes('Plant Diary')]).toEqual([200, true])
    expect(await isSignedIn(app)).toBe(true)
    await app.browser.visit(
      endSession({ id_token_hint: app.idToken, post_logout_redirect_uri: BYE, state }),
    )
    const bye = await confirm(app.browser)
    expect([bye.url.origin + bye.url.pathname, bye.url.searchParams.get('state')]).toEqual([
      BYE,
      state,
    ])
    expect(await isSignedIn(app)).toBe(false)
  })

  it('LO-01 takes client_id instead of a hint, and also a POST (OIDC RP-Initiated Logout 2)', async () => {
    const app = await signedIn()
    const { status, location } = await post(server, '/session/end', {
      client_id: app.client.clientId,
      post_logout_redirect_uri: BYE,
    })
    expect(status).toBe(303)
    await app.browser.visit(location ?? '')
    expect((await confirm(app.browser)).url.href).toBe(BYE)
  })

  it('LO-01 takes a hint that has expired', async () => {
    const app = await signedIn({ idTokenAlg: 'ES256' })
    const browser = app.browser.copy()
    const { keys } = await server.context.keys.load()
    const key = keys.find(({ alg }) => alg === 'ES256')
    const expired = await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: key?.kid ?? '' })
      .setIssuer(server.origin)
      .setAudience(app.client.clientId)
      .setSubject(app.account.id)
      .setIssuedAt()
      .setExpirationTime(1_700_003_600)
      .sign(key as never)
    const page = await browser.visit(
      endSession({ id_token_hint: expired, post_logout_redirect_uri: BYE }),
    )
    expect([page.status, page.words.includes('Plant Diary')]).toEqual([200, true])
  })

  it.each<[string, (app: SignedInWithToken) => Promise<Readonly<Record<string, string>>>]>([
    [
      'a foreign place',
      async ({ idToken }) => ({
        id_token_hint: idToken,
        post_logout_redirect_uri: 'https://evil.example/',
      }),
    ],
    [
      'a place that begins like the registered one',
      async ({ idToken }) => ({
        id_token_hint: idToken,
        post_logout_redirect_uri: `${BYE}.evil.example`,
      }),
    ],
    [
      'the registered place and a query',
      async ({ idToken }) => ({ id_token_hint: idToken, post_logout_redirect_uri: `${BYE}?x=1` }),
    ],
    [
      'a redirect URI that is for codes',
      async ({ idToken }) => ({
        id_token_hint: idToken,
        post_logout_redirect_uri: 'https://client.example/callback',
      }),
    ],
    [
      'javascript',
      async ({ idToken }) => ({
        id_token_hint: idToken,
        post_logout_redirect_uri: 'javascript:alert(1)',
      }),
    ],
    ['an unknown client', async () => ({ client_id: 'nobody', post_logout_redirect_uri: BYE })],
    [
      'a hint that is no token',
      async () => ({ id_token_hint: 'x', post_logout_redirect_uri: BYE }),
    ],
    [
      'a hint without signature',
      async ({ idToken }) => ({
        id_token_hint: `${idToken.split('.').slice(0, 2).join('.')}.`,
        post_logout_redirect_uri: BYE,
      }),
    ],
    [
      'a hint by another key',
      async ({ client, account }) => {
        const { privateKey } = await generateKeyPair('ES256')
        const claims = { iss: server.origin, aud: client.clientId, sub: account.id }
        return {
          id_token_hint: await new SignJWT(claims)
            .setProtectedHeader({ alg: 'ES256' })
            .setExpirationTime('1h')
            .sign(privateKey),
          post_logout_redirect_uri: BYE,
        }
      },
    ],
    [
      'a hint by none',
      async ({ idToken }) => ({
        id_token_hint: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${idToken.split('.')[1]}.`,
        post_logout_redirect_uri: BYE,
      }),
    ],
    [
      'a hint for one client and the name of another',
      async ({ idToken }) => ({
        id_token_hint: idToken,
        client_id: (await createClient(server)).clientId,
        post_logout_redirect_uri: BYE,
      }),
    ],
    [
      'an access token as hint',
      async (app) => ({
        id_token_hint: (await app.redeem(await app.code())).body.access_token,
        post_logout_redirect_uri: BYE,
      }),
    ],
  ])('LO-01 shows a page, redirects nowhere and ends nothing: %s', async (_what, request) => {
    const app = await signedIn()
    const page = await app.browser.visit(endSession(await request(app)))
    expect([page.status, page.isForeign]).toEqual([400, false])
    expect(page.response.headers.get('content-type')).toMatch(/^text\/html/)
    expect(await isSignedIn(app)).toBe(true)
  })

  it('LO-01 without a proven client stays here, whatever place is named', async () => {
    const app = await signedIn()
    await app.browser.visit(endSession({ post_logout_redirect_uri: BYE, state: 'x' }))
    const page = await confirm(app.browser)
    expect([page.isForeign, page.url.origin]).toEqual([false, server.origin])
    expect(await isSignedIn(app)).toBe(false)
  })

  it('LO-01 goes on at once when nobody is signed in: back to the registered place, or to a page that says so', async () => {
    const app = await signedIn()
    const browser = new Browser(server.origin)
    const state = 'a b&c=<é>'
    const bye = await browser.visit(
      endSession({ id_token_hint: app.idToken, post_logout_redirect_uri: BYE, state }),
    )
    expect([
      bye.isForeign,
      bye.url.origin + bye.url.pathname,
      bye.url.searchParams.get('state'),
    ]).toEqual([true, BYE, state])
    const plain = await browser.visit(
      endSession({ client_id: app.client.clientId, post_logout_redirect_uri: BYE }),
    )
    expect([plain.isForeign, plain.url.href]).toEqual([true, BYE])
    for (const nowhere of [
      '/session/end',
      endSession({ post_logout_redirect_uri: BYE }),
      endSession({ client_id: app.client.clientId }),
    ]) {
      const page = await browser.visit(nowhere)
      expect([page.status, page.isForeign, page.h1]).toEqual([200, false, 'You are signed out'])
    }
    expect(await isSignedIn(app)).toBe(true)
  })
})

describe('logout by others', () => {
  it("LO-03 the confirmation counts only with the one-time token of this browser's page", async () => {
    const app = await signedIn()
    await app.browser.visit('/session/end')
    for (const fields of [
      { logout: 'yes' },
      { logout: 'yes', xsrf: nobody() },
      { logout: 'yes', xsrf: '' },
    ]) {
      const page = await app.browser.copy().post('/session/end/confirm', fields)
      expect([page.status, await isSignedIn(app)]).toEqual([400, true])
    }
  })

  it('LO-03 another site can neither link nor post a person out', async () => {
    const app = await signedIn()
    const browser = app.browser.copy()
    await browser.visit('/session/end')
    const { xsrf } = Object.fromEntries(
      browser.page.form('/session/end/confirm').fields.map(({ name, value }) => [name, value]),
    )
    await browser.visit(`/session/end/confirm?logout=yes&xsrf=${xsrf}`)
    expect(await isSignedIn(app)).toBe(true)
    const crossSite = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    // A Lax cookie does not travel with a post from another site.
    await post(server, '/session/end/confirm', { logout: 'yes', xsrf: xsrf ?? '' }, crossSite)
    expect(await isSignedIn(app)).toBe(true)
    for (const name of app.browser.jar.all.filter(({ name }) =>
      name.startsWith('gatehouse_session'),
    ))
      expect(name.sameSite).toBe('lax')
    await post(server, '/session/end', { logout: 'yes' }, crossSite)
    expect(await isSignedIn(app)).toBe(true)
  })

  it('LO-03 a GET at any of the logout addresses ends nothing, and none has CORS', async () => {
    const app = await signedIn()
    for (const path of [
      '/session/end',
      '/session/end/confirm',
      '/session/end/success',
      '/sign-out',
      '/logout',
    ]) {
      await app.browser.visit(path)
      const { headers } = await get(new URL(path, server.origin), {
        origin: 'https://client.example',
      })
      expect(headers.get('access-control-allow-origin')).toBeNull()
    }
    expect(await isSignedIn(app)).toBe(true)
    const options = await send(new URL('/session/end', server.origin), {
      method: 'OPTIONS',
      headers: { origin: 'https://client.example' },
    })
    expect(options.headers.get('access-control-allow-origin')).toBeNull()
  })
})
