import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount, REDIRECT_URI } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { storeOddClient } from '../support/odd-clients.ts'
import { enter } from '../support/people.ts'
import type { TestServer } from '../support/server.ts'
import { comeBy, FROM_ELSEWHERE, leaveFor, somebody } from '../support/upstream/coming.ts'
import { HOSTILE_CLIENT, HostileOp, type Lies } from '../support/upstream/hostile-op.ts'
import { createProvider } from '../support/upstream/providers.ts'
import { TlsSite, TO_LOOPBACK } from '../support/upstream/tls.ts'
import { startOverTls } from '../support/upstream/tls-front.ts'
import { useServer } from '../support/use-server.ts'

const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} }

describe('three parties: an app, this server, and another Gatehouse as its provider', () => {
  let upstream: TestServer
  let server: TestServer
  const app = new TlsSite({ '/logout': () => ({ status: 200 }) })

  beforeAll(async () => {
    await app.listen()
    ;[upstream, server] = await Promise.all([startOverTls(), startOverTls()])
    const client = await storeOddClient(upstream, 'its server is on loopback', {
      firstParty: true,
      metadata: {
        redirect_uris: [`${server.origin}/upstream/acme/callback`],
        backchannel_logout_uri: `${server.origin}/upstream/acme/backchannel-logout`,
        backchannel_logout_session_required: true,
      },
    })
    await createProvider(server, {
      issuer: upstream.origin,
      client: { id: client.clientId, secret: client.clientSecret ?? '' },
      settings: { emailTrust: 'claim' },
    })
  })
  afterAll(async () => {
    await server.stop()
    await upstream.stop()
    await app[Symbol.asyncDispose]()
  })

  it('a sign-out over there ends the session here, and the app hears of it', async () => {
    const { clientId } = await storeOddClient(server, 'its server is on loopback', {
      firstParty: true,
      metadata: { backchannel_logout_uri: `${app.origin}/logout` },
    })
    const account = await createAccount(upstream)
    const here = new Browser(server.origin, { connect: server.address })
    const there = new Browser(upstream.origin, { connect: upstream.address })
    const query = new URLSearchParams({
      client_id: clientId,
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'openid email',
      state: 'of the app',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    })
    await here.visit(`/auth?${query.toString()}`)
    await there.visit(await leaveFor(here))
    await enter(there, account)
    const back = await there.submit('/consent', {}, { button: 'allow' })
    expect([back.isForeign, back.url.origin]).toEqual([true, server.origin])
    const page = await here.visit(back.url, FROM_ELSEWHERE)
    expect([page.step, page.url.searchParams.get('state')]).toEqual(['app', 'of the app'])
    expect((await here.visit('/account')).words).toContain(account.email)

    const [over] = await upstream.context.sessions.list(account.id)
    await upstream.context.sessions.endSession(over?.id ?? '')
    await eventually(async () => (await here.visit('/account')).step, 'login')
    await eventually(() => app.asked.length, 1)
    const token = decodeJwt(app.asked[0]?.body.get('logout_token') ?? '')
    expect(token).toMatchObject({ iss: server.origin, aud: clientId, events: EVENTS })
  })
})

describe('a logout token of a provider', () => {
  const server = useServer({ outgoing: TO_LOOPBACK })
  const op = HostileOp.use()
  const other = HostileOp.use()

  beforeAll(async () => {
    const settings = { emailTrust: 'claim' }
    await createProvider(server, { issuer: op.issuer, settings })
    await createProvider(server, {
      id: 'other',
      issuer: other.issuer,
      settings,
    })
  })

  const post = (logoutToken: string, provider = 'acme') =>
    send(`${server.origin}/upstream/${provider}/backchannel-logout`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ logout_token: logoutToken }).toString(),
    })
  const tell = async (
    said: Readonly<Record<string, unknown>>,
    {
      provider = 'acme',
      by = op,
      signature = 'own',
      typ = 'logout+jwt',
    }: {
      provider?: string
      by?: HostileOp
      signature?: Lies['signature']
      typ?: string
    } = {},
  ) => {
    const now = Math.floor(Date.now() / 1000)
    const usual = { iss: by.issuer, aud: HOSTILE_CLIENT.id, iat: now, exp: now + 120 }
    const claims = { ...usual, jti: randomUUID(), events: EVENTS, ...said }
    const given = Object.entries(claims).filter(([, value]) => value !== undefined)
    return (await post(await by.sign(Object.fromEntries(given), signature, typ), provider)).status
  }
  /** Somebody who has come by the provider, and whether they are signed in still. */
  const come = async (sid?: string, person = somebody({ email_verified: true })) => {
    op.person = { ...person, sid }
    const browser = new Browser(server.origin)
    await browser.visit('/account')
    await comeBy(browser, op)
    const left = async () => {
      await browser.visit('/account')
      return browser.page.step !== 'login'
    }
    expect(await left()).toBe(true)
    return { person, left }
  }

  it('ends the session that it names, and no other of the person', async () => {
    const one = await come('s-one')
    const two = await come('s-two', one.person)
    expect(await tell({ sid: 's-one', sub: one.person['sub'] })).toBe(200)
    expect([await one.left(), await two.left()]).toEqual([false, true])
  })

  it('ends all of the person, by the subject or where it names no session that is here', async () => {
    for (const said of [{}, { sid: 'of another day' }]) {
      const one = await come('s-3')
      const two = await come('s-4', one.person)
      const else_ = await come('s-5')
      expect(await tell({ sub: one.person['sub'], ...said })).toBe(200)
      expect([await one.left(), await two.left(), await else_.left()]).toEqual([false, false, true])
    }
  })

  it('counts once: heard again it ends nothing that came later', async () => {
    const jti = randomUUID()
    const before = await come('s-6')
    expect(await tell({ sid: 's-6', jti })).toBe(200)
    expect(await before.left()).toBe(false)
    const after = await come('s-6', before.person)
    expect(await tell({ sid: 's-6', jti })).toBe(400)
    expect(await after.left()).toBe(true)
  })

  it('is refused by the name of another provider, and of one that is none', async () => {
    const { person, left } = await come('s-7')
    const said = { sub: person['sub'], sid: 's-7' }
    expect(await tell(said, { by: other, provider: 'other' })).toBe(200)
    expect(await tell(said, { by: other })).toBe(400)
    expect(await tell({ ...said, iss: op.issuer }, { by: other, provider: 'other' })).toBe(400)
    expect(await tell(said, { provider: 'nobody' })).toBe(400)
    expect(await left()).toBe(true)
  })

  let still: Awaited<ReturnType<typeof come>> | undefined
  it.each<[string, Readonly<Record<string, unknown>>, Parameters<typeof tell>[1]]>([
    ['for another client', { aud: 'somebody-else' }, {}],
    ['with a nonce, as an ID token has one', { nonce: 'n' }, {}],
    ['without the event', { events: undefined }, {}],
    ['with another event', { events: { 'urn:other': {} } }, {}],
    ['of no one', { sid: undefined, sub: undefined }, {}],
    ['without jti', { jti: undefined }, {}],
    ['without iat', { iat: undefined }, {}],
    ['that is old', { iat: 1_000_000, exp: undefined }, {}],
    ['that has ended', { exp: 1_000_000 }, {}],
    ['of the future', { iat: 4_000_000_000, exp: undefined }, {}],
    ['of a foreign key', {}, { signature: 'foreign' }],
    ['without a signature', {}, { signature: 'none' }],
    ['signed by the client secret', {}, { signature: 'HS256' }],
    ['of another type', {}, { typ: 'at+jwt' }],
  ])('is refused %s', async (_what, said, how) => {
    still ??= await come('s-8')
    const { person, left } = still
    expect(await tell({ sid: 's-8', sub: person['sub'], ...said }, how)).toBe(400)
    expect(await left()).toBe(true)
  })

  it('is answered in no cache, by an error that tells nothing; what is no token is refused', async () => {
    const response = await post('made.up.token')
    expect(response.status).toBe(400)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toEqual({
      error: 'invalid_request',
      error_description: 'The logout token is not valid.',
    })
    expect((await post('x'.repeat(16_300))).status).toBe(400)
    expect((await post('')).status).toBe(400)
  })

  it('is asked for again while the keys of the provider cannot be had', async () => {
    await using away = await HostileOp.open()
    await createProvider(server, { id: 'away', issuer: away.issuer })
    const { providers } = server.context
    await eventually(async () => (await providers.find('away'))?.id, 'away')
    away.site.moods.set('/jwks', { status: 500 })
    expect(await tell({ sid: 's' }, { by: away, provider: 'away' })).toBe(503)
  })
})
