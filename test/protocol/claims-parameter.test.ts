import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import type { Json } from '../support/api.ts'
import { Browser, type Page } from '../support/browser.ts'
import { createAccount, createClient, type NewClient } from '../support/factories.ts'
import { keptLog } from '../support/kept-log.ts'
import {
  authorizationUrl,
  authorize,
  basic,
  get,
  post,
  signedInApp,
  signIn,
  VERIFIER,
} from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
const log = keptLog()
beforeAll(async () => {
  server = await startServer({ logger: log.logger })
})
afterAll(() => server.stop())

type Claims = Readonly<Record<string, unknown>>
interface Asked {
  readonly userinfo?: Claims
  readonly id_token?: Claims
}
const errorOf = (page: Page): string | null => page.url.searchParams.get('error')

/** A person and an app of somebody else's, which asks by `claims`. */
async function stranger(options: NewClient = {}) {
  const client = await createClient(server, options)
  const account = await createAccount(server)
  const browser = new Browser(server.origin)
  const ask = (claims: Asked | string, change: Readonly<Record<string, string>> = {}) =>
    browser.visit(
      authorizationUrl(server, client.clientId, {
        claims: typeof claims === 'string' ? claims : JSON.stringify(claims),
        ...change,
      }),
    )
  const allow = () => browser.submit('/consent', {}, { button: 'allow' })
  const redeem = async ({ url }: Page) => {
    const { body } = await post(
      server,
      '/token',
      {
        grant_type: 'authorization_code',
        code: url.searchParams.get('code') ?? '',
        redirect_uri: client.redirectUri,
        code_verifier: VERIFIER,
      },
      basic(client),
    )
    return body
  }
  return { client, account, browser, ask, allow, redeem }
}

const userinfo = async (token: string): Promise<Json> =>
  (await get(new URL('/userinfo', server.origin), { authorization: `Bearer ${token}` })).body
const details = (page: Page): string =>
  /See these details(.*?)You will be/.exec(page.words)?.[1] ?? ''

describe('AZ-15 the claims parameter (OIDC Core 5.5)', () => {
  it('is announced', async () => {
    const { body } = await get(new URL('/.well-known/openid-configuration', server.origin))
    expect(body.claims_parameter_supported).toBe(true)
  })

  it('brings what was asked for into the ID token and to userinfo, once the person allows it', async () => {
    const { account, browser, ask, allow, redeem } = await stranger()
    await ask({ id_token: { email: null }, userinfo: { name: { essential: true } } })
    const consent = await signIn(browser, account.email)
    expect(consent.step).toBe('consent')
    expect([details(consent)]).toEqual([expect.stringMatching(/Name.*E-mail|E-mail.*Name/)])
    const back = await allow()
    expect(back.step).toBe('app')
    const tokens = await redeem(back)
    expect(decodeJwt(tokens.id_token)).toMatchObject({ email: account.email })
    expect(decodeJwt(tokens.id_token)).not.toHaveProperty('name')
    expect(await userinfo(tokens.access_token)).toEqual({ sub: account.id, name: account.name })
  })

  it('asks once and remembers it in other browsers; what was not asked for before is asked for, marked as new', async () => {
    const { account, browser, ask, allow, client } = await stranger()
    await ask({ userinfo: { email: null } })
    await signIn(browser, account.email)
    await allow()
    expect((await ask({ id_token: { email: null } }, { prompt: 'none' })).step).toBe('app')

    const second = new Browser(server.origin)
    const visit = (claims: Asked, change = {}) =>
      second.visit(
        authorizationUrl(server, client.clientId, { claims: JSON.stringify(claims), ...change }),
      )
    await visit({ userinfo: { email: null } })
    expect((await signIn(second, account.email)).step).toBe('app')
    expect(errorOf(await visit({ userinfo: { name: null } }, { prompt: 'none' }))).toBe(
      'consent_required',
    )
    const page = await visit({ userinfo: { name: null, email: null } })
    expect([page.step, page.words.match(/\bNew\b/g)?.length]).toEqual(['consent', 1])
    expect([details(page)]).toEqual([expect.not.stringContaining('E-mail')])
  })

  it('asks for nothing that a scope has brought, and says it once where both are asked for', async () => {
    const { account, browser, ask, allow, redeem } = await stranger()
    await ask({ id_token: { email: null } }, { scope: 'openid email' })
    expect([details(await signIn(browser, account.email))]).toEqual([''])
    const first = await redeem(await allow())
    expect(decodeJwt(first.id_token)).toMatchObject({ email: account.email })
    const silent = await ask({ id_token: { email_verified: null } }, { prompt: 'none' })
    expect(decodeJwt((await redeem(silent)).id_token)).toMatchObject({ email_verified: true })
  })

  it('takes back with the app what was allowed by name, and lists it until then', async () => {
    const { account, browser, ask, allow } = await stranger()
    await ask({ userinfo: { email: null } })
    await signIn(browser, account.email)
    const tokens = await allow()
    expect(tokens.step).toBe('app')
    const apps = await browser.visit('/account/apps')
    expect(apps.words).toContain('E-mail address')
    await browser.submit('/account/apps/remove')
    expect((await ask({ userinfo: { email: null } })).step).toBe('consent')
  })

  it('AZ-14 asks nobody for an app of the operator, and brings it the same', async () => {
    const app = await signedInApp(server)
    const claims = JSON.stringify({ id_token: { email: null }, userinfo: { name: null } })
    const { body } = await app.redeem(await app.code({ claims, prompt: 'none' }))
    expect(decodeJwt(body.id_token)).toMatchObject({ email: app.account.email })
    expect(await userinfo(body.access_token)).toMatchObject({ name: 'Ada Lovelace' })
    const refreshed = await app.refresh(body.refresh_token)
    expect(decodeJwt(refreshed.body.id_token)).toMatchObject({ email: app.account.email })
    expect(await userinfo(refreshed.body.access_token)).toMatchObject({ name: 'Ada Lovelace' })
  })

  it('prompt=consent asks again for what is allowed, by name too', async () => {
    const { account, browser, ask, allow } = await stranger()
    await ask({ userinfo: { email: null } })
    await signIn(browser, account.email)
    await allow()
    const again = await ask({ userinfo: { email: null } }, { prompt: 'consent' })
    expect([again.step, details(again)]).toEqual(['consent', expect.stringContaining('E-mail')])
    expect((await allow()).step).toBe('app')
  })
})

describe('AZ-15 nothing is had by `claims` that a scope would not give', () => {
  it('claims of a scope that the client may not ask for are dropped, however essential', async () => {
    const { account, browser, ask, allow, redeem } = await stranger({ scopes: ['openid', 'email'] })
    const essential = { essential: true }
    const claims = { name: essential, phone_number: essential, address: null, email: null }
    await ask({ id_token: claims, userinfo: claims })
    const consent = await signIn(browser, account.email)
    expect(details(consent)).not.toMatch(/Name|Phone|Postal/)
    const tokens = await redeem(await allow())
    expect(Object.keys(decodeJwt(tokens.id_token))).not.toEqual(
      expect.arrayContaining(['name', 'phone_number', 'address']),
    )
    expect(await userinfo(tokens.access_token)).toEqual({ sub: account.id, email: account.email })
  })

  it('what a person has refused stays refused, by the name of the claim and of its scope', async () => {
    const app = await signedInApp(server)
    const { Grant } = server.context.authorizationServer.provider
    const code = await app.code()
    const { rows } = await server.context.database.pool.query<{ grant: string }>(
      `select "grant_id" as "grant" from "oidc_artifact" where "model" = 'AuthorizationCode' and "account_id" = $1 and "grant_id" is not null limit 1`,
      [app.account.id],
    )
    expect(code).toBeTruthy()
    const grant = await Grant.find(rows[0]?.grant ?? '')
    if (!grant) throw new Error('no grant')
    grant.rejectOIDCScope('profile')
    grant.rejectOIDCClaims(['email'])
    await grant.save()
    const ask = (claim: string) => {
      const wanted = { [claim]: { essential: true } }
      const claims = JSON.stringify({ id_token: wanted, userinfo: wanted })
      return app.browser.visit(authorizationUrl(server, app.client.clientId, { claims }))
    }
    const { body } = await app.redeem((await ask('email')).url.searchParams.get('code') ?? '')
    expect(decodeJwt(body.id_token)).not.toHaveProperty('email')
    expect(await userinfo(body.access_token)).toEqual({ sub: app.account.id })
    expect((await ask('email_verified')).step).toBe('app')
    expect((await ask('name')).step).toBe('consent')
  })

  it('a denied consent gives nothing, and the next request asks again', async () => {
    const { account, browser, ask } = await stranger()
    await ask({ userinfo: { email: null } })
    await signIn(browser, account.email)
    expect(errorOf(await browser.submit('/consent', {}, { button: 'deny' }))).toBe('access_denied')
    expect((await ask({ userinfo: { email: null } })).step).toBe('consent')
  })

  it('facts of the sign-in are never asked for, and nothing is without openid', async () => {
    const { account, browser, ask, allow, redeem } = await stranger()
    const facts = { sub: null, auth_time: { essential: true }, acr: null, amr: null, iss: null }
    await ask({ id_token: facts, userinfo: facts })
    expect([details(await signIn(browser, account.email))]).toEqual([''])
    const tokens = await redeem(await allow())
    expect(decodeJwt(tokens.id_token)).toMatchObject({ sub: account.id, amr: ['pwd'] })
    expect(await userinfo(tokens.access_token)).toEqual({ sub: account.id })
    const page = await ask({ userinfo: { email: null } }, { scope: 'email' })
    expect(errorOf(page)).toBe('invalid_request')
  })
})

describe('AZ-08 AZ-15 what claims may hold', () => {
  const ask = async (claims: string) => {
    const client = await createClient(server)
    return authorize(server, client.clientId, { claims })
  }
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index}`, null]))

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a text', '"email"'],
    ['null', 'null'],
    ['neither place', '{"email":null}'],
    ['a place that is a list', '{"userinfo":[]}'],
    ['a claim that is true', '{"userinfo":{"email":true}}'],
    ['a claim that is a list', '{"id_token":{"email":[]}}'],
    ['essential as a text', '{"userinfo":{"email":{"essential":"yes"}}}'],
    ['a value that is an object', '{"id_token":{"sub":{"value":{"a":1}}}}'],
    ['values that are no list', '{"id_token":{"acr":{"essential":true,"values":"x"}}}'],
    ['values of lists', '{"id_token":{"acr":{"values":[["x"]]}}}'],
    ['41 claims', JSON.stringify({ userinfo: many(20), id_token: many(21) })],
    ['21 values', JSON.stringify({ id_token: { acr: { values: Array(21).fill('x') } } })],
  ])('%s is invalid_request at the app', async (_, claims) => {
    const { status, location } = await ask(claims)
    expect([status, location?.searchParams.get('error')]).toEqual([303, 'invalid_request'])
  })

  it('40 claims, names that nobody knows and members that nobody defined are no fault', async () => {
    for (const claims of [
      JSON.stringify({ userinfo: many(20), id_token: many(20) }),
      '{"userinfo":{"email":{"essential":true,"reason":{"why":["not"]}}},"verified":{}}',
      '{"userinfo":{"__proto__":null,"constructor":null,"toString":{"essential":true}},"id_token":{"__proto__":{"value":"x"}}}',
      '{"userinfo":{"email":null,"email":{"essential":true}},"userinfo":{"email":null}}',
    ]) {
      const { location } = await ask(claims)
      expect([claims, location?.pathname]).toEqual([
        claims,
        expect.stringMatching(/^\/interaction\//),
      ])
    }
  })

  it('4 kB are read, and one character more is a page', async () => {
    const spaces = (length: number) => '{"userinfo":{"email":null}}'.padEnd(length)
    expect((await ask(spaces(4096))).location?.pathname).toMatch(/^\/interaction\//)
    const { status, location } = await ask(spaces(4097))
    expect([status, location]).toEqual([400, undefined])
  })

  it('100 kB are refused before anybody reads them, by a page', async () => {
    const { clientId } = await createClient(server)
    const claims = JSON.stringify({ userinfo: { email: { value: 'x'.repeat(100_000) } } })
    const { status, location } = await post(server, '/auth', {
      ...Object.fromEntries(authorizationUrl(server, clientId).searchParams),
      claims,
    })
    expect([status, location]).toEqual([expect.any(Number), undefined])
    expect([400, 413]).toContain(status)
  })

  it('values of claims are in no answer, no page and no log', async () => {
    const { account, browser, ask: visit } = await stranger()
    const value = 'reflected"><script>alert(1)</script>'
    const page = await visit({ userinfo: { email: { value, essential: true } } })
    const consent = await signIn(browser, account.email)
    expect([page.text, consent.text].some((text) => text.includes('reflected'))).toBe(false)
    const { rows } = await server.context.database.pool.query<{ count: string }>(
      `select count(*) from "oidc_artifact" where "payload"::text like '%reflected%'`,
    )
    expect(rows[0]?.count).toBe('0')
    expect(log.text()).not.toContain('reflected')
  })

  it('sub names the person: another one is asked to sign in, and nobody without end', async () => {
    const app = await signedInApp(server)
    const other = await createAccount(server)
    const named = (id: string) => JSON.stringify({ id_token: { sub: { value: id } } })
    const visit = (id: string, change = {}) =>
      app.browser.visit(
        authorizationUrl(server, app.client.clientId, { claims: named(id), ...change }),
      )
    expect((await visit(app.account.id, { prompt: 'none' })).step).toBe('app')
    expect(errorOf(await visit(other.id, { prompt: 'none' }))).toBe('login_required')
    expect((await visit(other.id)).step).toBe('login')
    expect(errorOf(await signIn(app.browser, app.account.email))).toBe('login_required')
    expect((await visit(other.id)).step).toBe('login')
    const back = await signIn(app.browser, other.email)
    const { body } = await app.redeem(back.url.searchParams.get('code') ?? '')
    expect(decodeJwt(body.id_token).sub).toBe(other.id)
  })
})
