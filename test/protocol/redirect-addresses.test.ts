import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { createAccount, createClient, type NewClient, REDIRECT_URI } from '../support/factories.ts'
import { authorizationUrl, authorize, basic, post, signIn, VERIFIER } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const SCHEME = 'audiobookshelf://oauth'
const PRIVATE = 'http://192.168.1.5:13378/callback'
const LOOPBACK = 'http://localhost:3000/callback'
const MIXED: NewClient = { redirectUris: [REDIRECT_URI, SCHEME] }
const AT_HOME: NewClient = {
  redirectUris: [REDIRECT_URI, PRIVATE, 'http://nas.lan/cb'],
  allowPrivateRedirect: true,
}

/** Where others than the app may answer, of an app that authenticates. */
const ADDRESSES: readonly (readonly [what: string, uri: string, client: NewClient])[] = [
  ['a scheme of its own', SCHEME, MIXED],
  ['a private network', PRIVATE, AT_HOME],
  ['loopback', LOOPBACK, { redirectUris: [REDIRECT_URI, LOOPBACK] }],
]

async function person(options: NewClient) {
  const client = await createClient(server, options)
  const account = await createAccount(server)
  const browser = new Browser(server.origin)
  const visit = (redirectUri: string, change = {}) =>
    browser.visit(
      authorizationUrl(server, client.clientId, { redirect_uri: redirectUri, ...change }),
    )
  await visit(client.redirectUri)
  const first = await signIn(browser, account.email)
  const allow = () => browser.submit('/consent', {}, { button: 'allow' })
  return { client, account, browser, visit, first, allow }
}

describe.each(ADDRESSES)('an app that authenticates, at %s', (_what, uri, client) => {
  it('AZ-14 of the operator is asked for once, whatever it got at https, and then goes on silently', async () => {
    const { visit, first, allow } = await person({ ...client, firstParty: true })
    expect(first.url.href).toMatch(`${REDIRECT_URI}?code=`)
    const refused = await visit(uri, { prompt: 'none' })
    expect(refused.url.searchParams.get('error')).toBe('consent_required')
    expect((await visit(uri)).step).toBe('consent')
    expect((await allow()).url.href).toMatch(`${uri}?code=`)
    expect((await visit(uri)).url.searchParams.get('code')).toBeTruthy()
    expect((await visit(uri, { prompt: 'none' })).url.searchParams.get('code')).toBeTruthy()
  })

  it('AZ-14 of the operator is asked for again when it wants more, and shows all of it', async () => {
    const { visit, allow } = await person({ ...client, firstParty: true })
    await visit(uri)
    await allow()
    await visit(REDIRECT_URI, { scope: 'openid email profile' })
    const page = await visit(uri, { scope: 'openid email profile' })
    expect([page.step, page.words]).toEqual([
      'consent',
      expect.stringContaining('Know that it is you'),
    ])
    await allow()
    const silent = await visit(uri, { scope: 'openid email profile', prompt: 'none' })
    expect(silent.url.searchParams.get('code')).toBeTruthy()
  })

  it('AZ-14 of the operator is asked for in another session, too, until it was allowed', async () => {
    const { client: app, account, visit } = await person({ ...client, firstParty: true })
    await visit(REDIRECT_URI)
    const browser = new Browser(server.origin)
    await browser.visit(authorizationUrl(server, app.clientId, { redirect_uri: uri }))
    expect((await signIn(browser, account.email)).step).toBe('consent')
  })

  it('AZ-14 of somebody else keeps what the person allowed', async () => {
    const { visit, first, allow } = await person(client)
    expect(first.step).toBe('consent')
    await allow()
    expect((await visit(uri, { prompt: 'none' })).url.searchParams.get('code')).toBeTruthy()
  })

  it.each(['optional', 'or_nonce'] as const)(
    'AZ-03 has to send a code_challenge there, though it is set to %s',
    async (pkce) => {
      const { clientId } = await createClient(server, { ...client, pkce })
      const errorAt = async (redirectUri: string) => {
        const without = { code_challenge: undefined, code_challenge_method: undefined }
        const change = { redirect_uri: redirectUri, prompt: 'none', ...without }
        const { location } = await authorize(server, clientId, change)
        return location?.searchParams.get('error')
      }
      expect(await errorAt(uri)).toBe('invalid_request')
      expect(await errorAt(REDIRECT_URI)).toBe('login_required')
    },
  )
})

describe('an app that does not authenticate', () => {
  it.each([
    ['a scheme of its own', SCHEME],
    ['loopback', 'http://127.0.0.1:5000/cb'],
  ])(
    'AZ-14 is asked for each time at %s, also of the operator, and never silent',
    async (_what, uri) => {
      const { visit, first, allow } = await person({
        type: 'native',
        secret: null,
        firstParty: true,
        redirectUris: [REDIRECT_URI, uri],
      })
      expect(first.url.searchParams.get('code')).toBeTruthy()
      for (let times = 0; times < 2; times += 1) {
        expect((await visit(uri)).step).toBe('consent')
        await allow()
        const silent = await visit(uri, { prompt: 'none' })
        expect(silent.url.searchParams.get('error')).toBe('interaction_required')
      }
      expect(
        (await visit(uri, { prompt: 'none', scope: 'openid email' })).url.searchParams.get('error'),
      ).toBe('interaction_required')
    },
  )
})

describe('where an answer goes', () => {
  it.each<[string, string, NewClient, RegExp]>([
    ['https', REDIRECT_URI, {}, /You will be sent to client\.example/],
    ['a scheme', SCHEME, MIXED, /an app on this device that opens audiobookshelf: links/],
    [
      'a scheme that looks like a host',
      'myapp://accounts.google.com/cb',
      { redirectUris: [REDIRECT_URI, 'myapp://accounts.google.com/cb'] },
      /an app on this device that opens myapp: links/,
    ],
    [
      'a private network',
      PRIVATE,
      AT_HOME,
      /192\.168\.1\.5:13378 in a private network.*not encrypted/,
    ],
    [
      'loopback',
      LOOPBACK,
      { redirectUris: [LOOPBACK] },
      /a program on this device, at localhost:3000/,
    ],
  ])('CL-05 the consent page names %s', async (_what, uri, options, words) => {
    const { visit } = await person(options)
    const page = await visit(uri)
    expect([page.step, page.words]).toEqual(['consent', expect.stringMatching(words)])
    expect(page.words).not.toContain('accounts.google.com')
  })

  it('AZ-01 an app with a scheme signs in over both addresses, and a code is good at its own only', async () => {
    const { client, visit, allow } = await person(MIXED)
    await allow()
    const redeem = async (code: string, redirectUri: string) =>
      post(
        server,
        '/token',
        {
          grant_type: 'authorization_code',
          code,
          redirect_uri: redirectUri,
          code_verifier: VERIFIER,
        },
        basic(client),
      )
    const code = async (uri: string) => (await visit(uri)).url.searchParams.get('code') ?? ''
    expect((await redeem(await code(SCHEME), SCHEME)).status).toBe(200)
    expect((await redeem(await code(REDIRECT_URI), REDIRECT_URI)).status).toBe(200)
    expect((await redeem(await code(SCHEME), REDIRECT_URI)).body.error).toBe('invalid_grant')
  })

  it.each([
    'http://192.168.1.5:13379/callback',
    'http://192.168.1.5/callback',
    'http://192.168.1.6:13378/callback',
    'http://192.168.1.5:13378/callback/x',
    'http://nas.lan:8080/cb',
    'http://nas.lan.evil.example/cb',
    'http://nas.lan@evil.example/cb',
    'http://127.0.0.1:13378/callback',
    'https://192.168.1.5:13378/callback',
  ])(
    'AZ-01 AZ-02 a private address is compared as it was written, with its port: %s',
    async (uri) => {
      const { clientId } = await createClient(server, AT_HOME)
      const { status, location } = await authorize(server, clientId, { redirect_uri: uri })
      expect([status, location]).toEqual([400, undefined])
    },
  )
})
