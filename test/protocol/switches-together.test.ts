import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { Browser, type Page } from '../support/browser.ts'
import {
  createAccount,
  createClient,
  createResource,
  type NewClient,
  REDIRECT_URI,
} from '../support/factories.ts'
import { heard } from '../support/heard.ts'
import {
  authorizationUrl,
  basic,
  get,
  post,
  signedInApp,
  signIn,
  VERIFIER,
} from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { ask, formShot, leftHalf, longWay, type Shot, seen } from '../support/two-ways.ts'

const OPEN = 'https://open.example/'
const PLAIN = 'https://plain.example/'
const NAMING = 'https://naming.example/'

let server: TestServer
beforeAll(async () => {
  server = await startServer({ config: { trustedProxyHops: 1 } })
  await createResource(server, {
    identifier: OPEN,
    scopes: ['open:read'],
    opensUserinfo: true,
    tokenTyp: 'JWT',
    signingAlg: 'RS256',
  })
  await createResource(server, { identifier: PLAIN, scopes: ['plain:read'] })
  await server.context.resources.create({
    identifier: NAMING,
    name: 'Wiki',
    scopes: ['wiki'],
    includeGroups: true,
    opensUserinfo: true,
  })
  await server.context.groups.create({ name: 'admins' })
  await server.context.groups.create({ name: 'cooks' })
})
afterAll(() => server.stop())

async function joins(accountId: string, ...names: string[]): Promise<void> {
  const { groups, memberships } = server.context
  for (const name of names) await memberships.add((await groups.find(name)).id, accountId)
}
type Tokens = Readonly<Record<string, string>>

const NO_PKCE = { code_challenge: undefined, code_challenge_method: undefined }
const userinfo = async (token: string, way = '') =>
  get(new URL(`/userinfo${way}`, server.origin), { authorization: `Bearer ${token}` })

describe('fast path and engine, of switches together', () => {
  it.each<[string, NewClient, Record<string, string | undefined>]>([
    [
      'everything in the ID token',
      { idTokenClaims: 'scope', atHash: true },
      { scope: 'openid profile email groups' },
    ],
    [
      'beside an open API',
      { idTokenClaims: 'scope', atHash: true, groups: ['admins'] },
      { scope: 'openid profile groups open:read', resource: OPEN },
    ],
    [
      'an open API that the scope brings',
      { resources: [OPEN], pkce: 'or_nonce' },
      { scope: 'openid email open:read' },
    ],
    [
      'an API that names groups',
      { resources: [NAMING], accessTokenSeconds: 60 },
      { scope: 'openid groups wiki' },
    ],
    [
      'a plain API, minimal',
      { atHash: true, pkce: 'optional' },
      { scope: 'openid groups plain:read', audience: PLAIN },
    ],
    [
      'no scope, by default',
      { defaultScopes: ['openid', 'groups', 'open:read'], resources: [OPEN] },
      { scope: undefined },
    ],
    ['an API without openid', { resources: [OPEN] }, { scope: 'open:read', nonce: undefined }],
    [
      'claims by name',
      { idTokenClaims: 'scope' },
      {
        scope: 'openid',
        claims: JSON.stringify({
          userinfo: { groups: null, email: { essential: true } },
          id_token: { groups: null, name: null },
        }),
      },
    ],
    [
      'without rotation',
      { refreshRotation: 'never', idTokenClaims: 'scope', refreshIdleSeconds: 3600 },
      { scope: 'openid profile open:read', resource: OPEN },
    ],
  ])('answer alike: %s', async (_what, client, change) => {
    const app = await signedInApp(server, client)
    await joins(app.account.id, 'admins', 'cooks')
    const { authorization } = basic(app.client)
    const form = (path: string, fields: Readonly<Record<string, string>>) =>
      formShot(path, authorization, fields)
    const redeeming = async () =>
      form('/token', {
        grant_type: 'authorization_code',
        code: await app.code(change),
        redirect_uri: app.client.redirectUri,
        code_verifier: VERIFIER,
      })
    const refreshing = ({ refresh_token = '' }: Tokens) =>
      form('/token', { grant_type: 'refresh_token', refresh_token })
    const bothWays = async (shot: Shot, other = shot) => {
      const answers = [await ask(server, shot), await ask(server, longWay(other))] as const
      const [fast, long] = [answers[0].clone(), answers[1].clone()]
      expect(await seen(fast)).toEqual(await seen(long))
      expect(fast.status).toBe(200)
      return [(await answers[0].json()) as Tokens, (await answers[1].json()) as Tokens] as const
    }

    const [one, other] = await bothWays(await redeeming(), await redeeming())
    const headers = { authorization: `Bearer ${one['access_token']}` }
    const asked = { method: 'GET', path: '/userinfo', headers }
    expect(await seen(await ask(server, asked))).toEqual(
      await seen(await ask(server, longWay(asked))),
    )
    await bothWays(form('/token/introspection', { token: one['access_token'] ?? '' }))
    const [renewed] = await bothWays(refreshing(one), refreshing(other))
    // Once more, within the leeway: the same, but for signatures that are never alike.
    const again = (await (await ask(server, refreshing(one))).json()) as Tokens
    if (client.refreshRotation !== 'never')
      expect(again['refresh_token']).toBe(renewed['refresh_token'])
    if (again['id_token'] === undefined) return
    const { at_hash: hash, ...claims } = decodeJwt(again['id_token'])
    const { at_hash: _other, ...before } = decodeJwt(renewed['id_token'] ?? '')
    if (client.refreshRotation !== 'never') expect(claims).toEqual(before)
    if (client.atHash) expect(hash).toBe(leftHalf('sha256', again['access_token'] ?? ''))
  })
})

describe('switches of one app together', () => {
  async function allowing(page: Page, browser: Browser): Promise<Page> {
    return page.step === 'consent' ? browser.submit('/consent', {}, { button: 'allow' }) : page
  }
  async function redeem(
    client: { clientId: string; clientSecret: string | undefined },
    code: string,
    change = {},
  ) {
    const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, ...change }
    return post(server, '/token', form, basic(client))
  }

  it('no PKCE, form_post and claims by name', async () => {
    const app = await signedInApp(server, {
      pkce: 'optional',
      groups: ['cooks'],
      firstParty: false,
    })
    await joins(app.account.id, 'admins', 'cooks')
    const claims = JSON.stringify({
      userinfo: { groups: { essential: true }, address: null },
      id_token: { groups: null, email: null },
    })
    const url = authorizationUrl(server, app.client.clientId, {
      ...NO_PKCE,
      nonce: undefined,
      response_mode: 'form_post',
      claims,
    })
    const page = await app.browser.visit(url)
    expect([page.step, page.words]).toEqual(['consent', expect.stringContaining('Groups')])
    const back = await app.browser.submit('/consent', {}, { button: 'allow' })
    const code = back.forms[0]?.fields.find(({ name }) => name === 'code')?.value ?? ''
    expect(code).not.toBe('')
    const { status, body } = await redeem(app.client, code)
    expect([status, body.scope]).toEqual([200, 'openid'])
    // Asked for by name or not: an ID token has no groups unless its client has claims in them.
    expect(decodeJwt(body.id_token)).not.toHaveProperty('groups')
    expect(decodeJwt(body.id_token)).toHaveProperty('email')
    for (const way of ['', '?way=long'])
      expect((await userinfo(body.access_token, way)).body).toEqual({
        sub: app.account.id,
        groups: ['cooks'],
      })
  })

  it('groups by name are not had by an app that may not ask for them, first party or not', async () => {
    for (const firstParty of [true, false]) {
      const app = await signedInApp(server, {
        firstParty,
        scopes: ['openid', 'profile'],
        idTokenClaims: 'scope',
      })
      await joins(app.account.id, 'admins')
      const claims = JSON.stringify({
        userinfo: { groups: { essential: true }, address: null },
        id_token: { groups: null, address: null },
      })
      const page = await app.browser.visit(
        authorizationUrl(server, app.client.clientId, { claims }),
      )
      const back = await allowing(page, app.browser)
      const { body } = await redeem(app.client, back.url.searchParams.get('code') ?? '', {
        code_verifier: VERIFIER,
      })
      expect(decodeJwt(body.id_token)).not.toHaveProperty('groups')
      expect((await userinfo(body.access_token)).body).toEqual({ sub: app.account.id })
    }
  })

  it('scopes by default, of the operator, with the groups that are named', async () => {
    const app = await signedInApp(server, {
      defaultScopes: ['openid', 'groups'],
      groups: ['cooks'],
    })
    await joins(app.account.id, 'admins', 'cooks')
    const { body } = await app.redeem(await app.code({ scope: undefined }))
    expect(body.scope).toBe('openid groups')
    expect((await userinfo(body.access_token)).body).toEqual({
      sub: app.account.id,
      groups: ['cooks'],
    })
  })

  it('groups in the JWT of an API: gone with the membership at userinfo, and as of now at introspection', async () => {
    const app = await signedInApp(server, { resources: [NAMING] })
    await joins(app.account.id, 'admins', 'cooks')
    const { body } = await app.redeem(await app.code({ scope: 'openid groups wiki' }))
    expect(decodeJwt(body.access_token)).toMatchObject({ aud: NAMING, groups: ['admins', 'cooks'] })
    const { groups, memberships } = server.context
    await memberships.remove((await groups.find('admins')).id, app.account.id)
    expect((await userinfo(body.access_token)).body).toEqual({
      sub: app.account.id,
      groups: ['cooks'],
    })
    const api = await createClient(server, { type: 'service', resources: [] })
    await server.context.resources.update(NAMING, { servedBy: api.clientId })
    await heard(server)
    const { body: said } = await post(
      server,
      '/token/introspection',
      { token: body.access_token },
      basic(api),
    )
    expect(said).toMatchObject({ active: true, groups: ['cooks'] })
    const plain = await app.redeem(await app.code({ scope: 'openid wiki', resource: NAMING }))
    const { access_token: token } = plain.body
    const { body: other } = await post(server, '/token/introspection', { token }, basic(api))
    expect(other).toMatchObject({ active: true })
    expect(other).not.toHaveProperty('groups')
    await server.context.clients.update(app.client.clientId, { groups: [] })
    await heard(server)
    const asked = { token: body.access_token }
    const later = await post(server, '/token/introspection', asked, basic(api))
    expect(later.body).toMatchObject({ active: true, groups: [] })
    await server.context.resources.update(NAMING, { servedBy: null })
  })

  it('a scheme of its own, offline access remembered, without a question', async () => {
    const SCHEME = 'audiobookshelf://oauth'
    const client = await createClient(server, { redirectUris: [REDIRECT_URI, SCHEME] })
    const account = await createAccount(server)
    const browser = new Browser(server.origin)
    const visit = (change = {}) =>
      browser.visit(
        authorizationUrl(server, client.clientId, {
          redirect_uri: SCHEME,
          scope: 'openid offline_access',
          ...change,
        }),
      )
    await visit()
    const consent = await signIn(browser, account.email)
    expect(consent.step).toBe('consent')
    const first = await browser.submit('/consent', {}, { button: 'allow' })
    const tokens = async (page: Page) =>
      (
        await redeem(client, page.url.searchParams.get('code') ?? '', {
          redirect_uri: SCHEME,
          code_verifier: VERIFIER,
        })
      ).body
    expect(await tokens(first)).toMatchObject({
      scope: 'openid offline_access',
      refresh_token: expect.any(String),
    })
    const silent = await visit({ prompt: 'none' })
    expect(await tokens(silent)).toMatchObject({
      scope: 'openid offline_access',
      refresh_token: expect.any(String),
    })
    const unproven = await visit({ prompt: 'none', ...NO_PKCE })
    expect(unproven.url.searchParams.get('error')).toBe('invalid_request')
    // More than was allowed is asked for, and not silently.
    expect(
      (await visit({ prompt: 'none', scope: 'openid email offline_access' })).url.searchParams.get(
        'error',
      ),
    ).toBe('consent_required')
  })

  it('audience at the token endpoint, of a service and at a refresh', async () => {
    const service = await createClient(server, {
      type: 'service',
      resources: [OPEN, PLAIN],
      defaultScopes: ['plain:read'],
    })
    const tokenFor = async (form: Record<string, string>, way = '') => {
      const { body } = await post(
        server,
        `/token${way}`,
        { grant_type: 'client_credentials', ...form },
        basic(service),
      )
      const { access_token: token = '', error, scope: given } = body
      return error ?? [token.includes('.') ? decodeJwt(token).aud : 'no API', given]
    }
    for (const way of ['', '?way=long']) {
      expect(await tokenFor({ audience: OPEN, scope: 'open:read' }, way)).toEqual([
        OPEN,
        'open:read',
      ])
      expect(await tokenFor({ audience: PLAIN }, way)).toEqual([PLAIN, 'plain:read'])
      expect(await tokenFor({ audience: OPEN, resource: OPEN, scope: 'open:read' }, way)).toEqual([
        OPEN,
        'open:read',
      ])
      expect(await tokenFor({ audience: OPEN, resource: PLAIN, scope: 'open:read' }, way)).toBe(
        'invalid_target',
      )
      expect(await tokenFor({ audience: PLAIN, scope: 'open:read' }, way)).toBe('invalid_scope')
      expect(await tokenFor({ audience: NAMING, scope: 'wiki' }, way)).toBe('invalid_target')
      expect(await tokenFor({ scope: 'open:read' }, way)).toEqual([OPEN, 'open:read'])
      expect(await tokenFor({ scope: 'openid open:read' }, way)).toMatch(/^invalid_scope/)
    }
  })
})
