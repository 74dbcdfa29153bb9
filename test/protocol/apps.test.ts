import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { exportJWK, generateKeyPair } from 'jose'
import * as oidc from 'openid-client'
import { Account } from '../../src/entities/index.ts'
import { type Cluster, startCluster } from '../support/balancer.ts'
import { Browser } from '../support/browser.ts'
import {
  createAccount,
  createClient,
  createResource,
  PASSWORD,
  REDIRECT_URI,
} from '../support/factories.ts'
import {
  type RelyingParty,
  type RelyingPartyOptions,
  relyingParty,
} from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'

const API = 'https://api.example/'
const OTHER = 'https://other.example/'
/** Two instances behind one address: each request goes to the other one than the last. */
let cluster: Cluster
let server: TestServer
let other: TestServer

beforeAll(async () => {
  cluster = await startCluster(2)
  const [one, two] = cluster.instances
  if (!one || !two) throw new Error('the cluster has two instances')
  server = one
  other = two
  await createResource(server, { identifier: API, scopes: ['read', 'write'] })
  await createResource(server, { identifier: OTHER, scopes: ['read', 'other'] })
})
afterAll(() => cluster.stop())

async function signIn(
  app: RelyingParty,
  parameters: Readonly<Record<string, string>> = {},
  email?: string,
) {
  const browser = new Browser(server.origin)
  const account = email ? { email } : await createAccount(server)
  await browser.visit(app.authorizationUrl(parameters))
  let page = await browser.submit('/login', { username: account.email, password: PASSWORD })
  if (page.step === 'consent') page = await browser.submit('/consent', {}, { button: 'allow' })
  return { browser, callback: page.url }
}

describe('two instances behind one issuer', () => {
  it('behave as one: sign-up, mail, consent, code, refresh, userinfo and logout over both', async () => {
    const app = await relyingParty(server, {
      grantTypes: ['authorization_code', 'refresh_token'],
    })
    const browser = new Browser(server.origin)
    const login = await browser.visit(
      app.authorizationUrl({ scope: 'openid email offline_access', prompt: 'consent' }),
    )
    await browser.follow(login.links.find((link) => link.pathname.endsWith('/sign-up')) ?? '')
    await browser.submit('/sign-up', {
      name: 'Grace Hopper',
      email: 'grace@example.org',
      password: PASSWORD,
    })
    await browser.submit('/verify-email', { code: await server.inbox.code('grace@example.org') })
    const back = await browser.submit('/consent', {}, { button: 'allow' })
    const tokens = await app.redeem(back.url)
    const next = await app.refresh(tokens.refresh_token ?? '')
    expect(await app.userinfo(next.access_token, tokens.claims()?.sub ?? '')).toMatchObject({
      email: 'grace@example.org',
    })
    expect(
      (await browser.visit(app.authorizationUrl({ prompt: 'none' }))).url.searchParams.has('code'),
    ).toBe(true)
    await browser.visit(app.endSessionUrl({ id_token_hint: tokens.id_token ?? '' }))
    await browser.submit('/session/end/confirm', {}, { button: 'logout' })
    for (let turn = 0; turn < 2; turn++)
      expect(
        (await browser.visit(app.authorizationUrl({ prompt: 'none' }))).url.searchParams.get(
          'error',
        ),
      ).toBe('login_required')
  })

  it('publish the same keys, and each verifies what the other signed', async () => {
    const keys = async ({ context }: TestServer) =>
      (await context.keys.load()).keys.map(({ kid }) => kid)
    expect(await keys(server)).toEqual(await keys(other))
    const app = await relyingParty(server, { firstParty: true })
    for (let turn = 0; turn < 4; turn++) {
      const { callback } = await signIn(app, { scope: 'openid read', resource: API })
      const tokens = await app.redeem(callback)
      await app.verifyAccessToken(tokens.access_token, API)
    }
  })
})

describe('client authentication', () => {
  it.each<[string, () => Promise<RelyingPartyOptions>]>([
    ['none', async () => ({ secret: null })],
    ['client_secret_basic', async () => ({})],
    [
      'client_secret_post',
      async () => {
        const client = await createClient(server, {
          authMethod: 'client_secret_post',
        })
        return { clientId: client.clientId, auth: oidc.ClientSecretPost(client.clientSecret ?? '') }
      },
    ],
    ...['ES256', 'RS256', 'PS256', 'Ed25519'].map(
      (alg): [string, () => Promise<RelyingPartyOptions>] => [
        `private_key_jwt by ${alg}`,
        async () => {
          const { privateKey, publicKey } = await generateKeyPair(alg, {
            modulusLength: 3072,
            extractable: true,
          })
          const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg, use: 'sig' }] }
          const client = await createClient(server, { authMethod: 'private_key_jwt', jwks })
          return {
            clientId: client.clientId,
            auth: oidc.PrivateKeyJwt({ key: privateKey, kid: 'k' }),
          }
        },
      ],
    ),
  ])('TK-07 an app signs a person in, refreshes and revokes with %s', async (_method, options) => {
    const app = await relyingParty(server, await options())
    const { callback } = await signIn(app, { scope: 'openid offline_access', prompt: 'consent' })
    const tokens = await app.redeem(callback)
    const next = await app.refresh(tokens.refresh_token ?? '')
    await app.revoke(next.refresh_token ?? '')
    await expect(app.refresh(next.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })
})

describe('claims', () => {
  it('userinfo gives the standard claims of the scopes, and no other; the ID token says who and how (OIDC Core 5.4)', async () => {
    const account = await createAccount(server, { locale: 'de' })
    const em = server.context.database.em.fork()
    await em.nativeUpdate(
      Account,
      { id: account.id },
      {
        phoneNumber: '+442071838750',
        imageUrl: 'https://img.example/a.png',
        address: { locality: 'London', country: 'GB' },
      },
    )
    const claimsOf = async (scope: string) => {
      const app = await relyingParty(server, { firstParty: true })
      const tokens = await app.redeem((await signIn(app, { scope }, account.email)).callback)
      const { sub: _sub, ...claims } = await app.userinfo(tokens.access_token, account.id)
      return { claims, idToken: tokens.claims() as Record<string, unknown> }
    }
    expect((await claimsOf('openid')).claims).toEqual({})
    expect((await claimsOf('openid email')).claims).toEqual({
      email: account.email,
      email_verified: true,
    })
    expect((await claimsOf('openid phone')).claims).toEqual({
      phone_number: '+442071838750',
      phone_number_verified: false,
    })
    expect((await claimsOf('openid address')).claims).toEqual({
      address: { locality: 'London', country: 'GB' },
    })
    const { claims, idToken } = await claimsOf('openid profile')
    expect(claims).toEqual({
      name: 'Ada Lovelace',
      preferred_username: expect.stringMatching(/^ada-lovelace-[0-9a-z]{4}$/),
      picture: 'https://img.example/a.png',
      locale: 'de',
      updated_at: expect.any(Number),
    })
    expect(Object.keys(idToken).toSorted((a, b) => a.localeCompare(b))).toEqual(
      expect.arrayContaining([
        'acr',
        'amr',
        'aud',
        'auth_time',
        'exp',
        'iat',
        'iss',
        'nonce',
        'sub',
      ]),
    )
    expect(idToken).not.toHaveProperty('email')
  })
})

describe('resources', () => {
  it('client_credentials: scopes of the API that was asked for, an RFC 9068 token without a person, no refresh token (RFC 6749 4.4)', async () => {
    const { client, secret } = await server.context.clients.create({
      name: 'Export',
      type: 'service',
      resources: [API],
      scopes: ['read'],
    })
    const app = await relyingParty(server, {
      clientId: client.id,
      auth: oidc.ClientSecretBasic(secret ?? ''),
    })
    const tokens = await app.clientCredentials({ resource: API, scope: 'read' })
    expect(tokens).not.toHaveProperty('refresh_token')
    expect(tokens).not.toHaveProperty('id_token')
    const { payload } = await app.verifyAccessToken(tokens.access_token, API)
    expect(payload).toMatchObject({ client_id: client.id, sub: client.id, aud: API, scope: 'read' })
    await expect(app.clientCredentials({ resource: OTHER, scope: 'read' })).rejects.toMatchObject({
      error: 'invalid_target',
    })
    for (const scope of ['write', 'read nonsense', 'openid'])
      await expect(app.clientCredentials({ resource: API, scope })).rejects.toMatchObject({
        error: 'invalid_scope',
      })
    const unnamed = await app.clientCredentials({ scope: 'read' })
    expect((await app.verifyAccessToken(unnamed.access_token, API)).payload).toMatchObject({
      aud: API,
      scope: 'read',
    })
  })

  it('TK-17 one authorization for two APIs gives a token for each in turn, and each names one audience (RFC 8707 2.2)', async () => {
    const app = await relyingParty(server, { firstParty: true })
    const url = app.authorizationUrl({ scope: 'openid read other' })
    url.searchParams.append('resource', API)
    url.searchParams.append('resource', OTHER)
    const browser = new Browser(server.origin)
    const account = await createAccount(server)
    await browser.visit(url)
    const { url: callback } = await browser.submit('/login', {
      username: account.email,
      password: PASSWORD,
    })
    const first = await app.redeem(callback, { resource: API })
    expect((await app.verifyAccessToken(first.access_token, API)).payload).toMatchObject({
      aud: API,
      scope: 'read',
    })
    const second = await app.refresh(first.refresh_token ?? '', { resource: OTHER })
    expect((await app.verifyAccessToken(second.access_token, OTHER)).payload).toMatchObject({
      aud: OTHER,
    })
    await expect(app.verifyAccessToken(second.access_token, API)).rejects.toThrow(/aud/)
  })

  it('TK-09 an API with an opaque token asks the server, and only about tokens that are meant for it', async () => {
    const app = await relyingParty(server)
    const tokens = await app.redeem((await signIn(app)).callback)
    const service = await server.context.clients.create({
      name: 'API',
      type: 'service',
      resources: [API],
      scopes: ['read'],
    })
    const api = await relyingParty(server, {
      clientId: service.client.id,
      auth: oidc.ClientSecretBasic(service.secret ?? ''),
    })
    expect(await api.introspect(tokens.access_token)).toEqual({ active: false })
    expect(await app.introspect(tokens.access_token)).toMatchObject({
      active: true,
      client_id: app.clientId,
    })
  })
})

describe('native apps', () => {
  it('AZ-01 sign in on loopback at whatever port is free, and by a scheme of their own (RFC 8252 7)', async () => {
    const client = await createClient(server, {
      type: 'native',
      redirectUris: ['http://127.0.0.1/cb', 'com.example.app:/cb'],
    })
    for (const redirectUri of [
      'http://127.0.0.1:51004/cb',
      'http://127.0.0.1:40123/cb',
      'com.example.app:/cb',
    ]) {
      const app = await relyingParty(server, { clientId: client.clientId, redirectUri })
      const { callback } = await signIn(app)
      expect(callback.href.startsWith(redirectUri)).toBe(true)
      expect((await app.redeem(callback)).claims()?.aud).toBe(client.clientId)
    }
  })
})

it('AZ-06 an app that asks for form_post redeems what was posted to it', async () => {
  const app = await relyingParty(server, { firstParty: true })
  const account = await createAccount(server)
  const browser = new Browser(server.origin)
  await browser.visit(app.authorizationUrl({ response_mode: 'form_post' }))
  const page = await browser.submit('/login', { username: account.email, password: PASSWORD })
  const posted = new URL(REDIRECT_URI)
  for (const { name, value } of page.form(0).fields)
    if (name) posted.searchParams.append(name, value)
  expect((await app.redeem(posted)).claims()?.sub).toBe(account.id)
})
