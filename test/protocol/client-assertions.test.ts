import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import * as oidc from 'openid-client'
import { createClient, type NewClient } from '../support/factories.ts'
import { post } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const AT_ENDPOINT = { assertionAudience: 'token-endpoint' } as const
type Claims = Readonly<Record<string, unknown>>

let server: TestServer
let keys: Awaited<ReturnType<typeof generateKeyPair>>

beforeAll(async () => {
  server = await startServer()
  keys = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true })
})
afterAll(() => server.stop())

async function keyed(options: Partial<NewClient> = {}): Promise<string> {
  const jwks = { keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1', use: 'sig' }] }
  const client = { type: 'service', authMethod: 'private_key_jwt', jwks, ...options } as const
  return (await createClient(server, client)).clientId
}

const now = () => Math.floor(Date.now() / 1000)
const tokenEndpoint = () => `${server.origin}/token`

/** Where an assertion of the client is taken; `undefined` takes a claim away. */
async function present(id: string, claims: Claims, path = '/token') {
  const assertion = await new SignJWT({
    iss: id,
    sub: id,
    aud: server.origin,
    jti: randomUUID(),
    iat: now(),
    exp: now() + 60,
    ...claims,
  })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .sign(keys.privateKey)
  const { status, body } = await post(server, path, {
    ...(path === '/token' ? { grant_type: 'client_credentials' } : { token: 'unknown' }),
    client_assertion_type: ASSERTION,
    client_assertion: assertion,
  })
  return body?.error === undefined ? status : `${status} ${body.error}`
}
const REFUSED = '401 invalid_client'

/** The claims of libraries as they send them by default, read from their own sources. */
const LIBRARIES: readonly [string, Partial<NewClient>, () => Claims][] = [
  ['jose by its own documentation', {}, () => ({ aud: server.origin, exp: now() + 120 })],
  ['a list with the issuer', {}, () => ({ aud: [server.origin] })],
  ['Spring Security', AT_ENDPOINT, () => ({ aud: tokenEndpoint(), exp: now() + 60 })],
  [
    'Nimbus, and pac4j by it',
    { ...AT_ENDPOINT, assertionSeconds: 300 },
    () => ({ aud: tokenEndpoint(), exp: now() + 300, iat: undefined }),
  ],
  ['one that lists the endpoint', AT_ENDPOINT, () => ({ aud: [tokenEndpoint()], nbf: now() })],
  [
    'Authlib',
    { ...AT_ENDPOINT, assertionSeconds: 3600 },
    () => ({ aud: tokenEndpoint(), exp: now() + 3600 }),
  ],
]

describe('private_key_jwt as libraries send it', () => {
  it.each(LIBRARIES)('TK-07 %s gets in, at its client alone', async (_who, options, claims) => {
    expect(await present(await keyed(options), claims())).toBe(200)
    const byDefault = Object.keys(options).length === 0
    expect(await present(await keyed(), claims())).toBe(byDefault ? 200 : REFUSED)
  })

  it.each<[string, Partial<NewClient>]>([
    ['by default', {}],
    ['where the endpoint is good too', { ...AT_ENDPOINT, assertionSeconds: 3600 }],
  ])('TK-07 openid-client gets in %s', async (_when, options) => {
    const config = await oidc.discovery(
      new URL(server.origin),
      await keyed(options),
      undefined,
      oidc.PrivateKeyJwt({ key: keys.privateKey, kid: 'k1' }),
      { execute: [oidc.allowInsecureRequests] },
    )
    const tokens = await oidc.clientCredentialsGrant(config)
    expect(tokens.token_type).toBe('bearer')
    await oidc.tokenRevocation(config, tokens.access_token)
    await expect(oidc.tokenIntrospection(config, tokens.access_token)).resolves.toEqual({
      active: false,
    })
  })

  it.each<[string, () => Claims]>([
    ['both in a list', () => ({ aud: [server.origin, tokenEndpoint()] })],
    ['the endpoint twice', () => ({ aud: [tokenEndpoint(), tokenEndpoint()] })],
    ['the endpoint with a slash', () => ({ aud: `${tokenEndpoint()}/` })],
    ['the endpoint with a query', () => ({ aud: `${tokenEndpoint()}?` })],
    ['the endpoint in capitals', () => ({ aud: tokenEndpoint().toUpperCase() })],
    ['another endpoint', () => ({ aud: `${server.origin}/token/introspection` })],
    ['a list in a list', () => ({ aud: [[tokenEndpoint()]] })],
    ['a path alone', () => ({ aud: '/token' })],
  ])('TK-07 refuses %s, also where the endpoint is good', async (_what, claims) => {
    expect(await present(await keyed(AT_ENDPOINT), claims())).toBe(REFUSED)
  })

  it('TK-07 the token endpoint is good at the token endpoint only', async () => {
    const id = await keyed(AT_ENDPOINT)
    for (const path of ['/token/introspection', '/token/revocation']) {
      expect([path, await present(id, { aud: tokenEndpoint() }, path)]).toEqual([path, REFUSED])
      expect([path, await present(id, { aud: server.origin + path }, path)]).toEqual([
        path,
        REFUSED,
      ])
      expect([path, await present(id, {}, path)]).toEqual([path, 200])
    }
  })

  it.each<[string, Claims, boolean]>([
    ['an hour from iat', { iat: 0, exp: 3600 }, true],
    ['an hour that began before', { iat: -1800, exp: 1800 }, true],
    ['a second more', { iat: 0, exp: 3601 }, false],
    ['an hour, and begun before that', { iat: -600, exp: 3595 }, false],
    ['a minute without iat', { iat: undefined, exp: 60 }, false],
    ['iat as text', { iat: 'now', exp: 60 }, false],
    ['iat in the future', { iat: 600, exp: 3600 }, false],
  ])('TK-07 of one with an hour, %s is taken or not', async (_what, { iat, exp }, isTaken) => {
    const id = await keyed({ assertionSeconds: 3600 })
    const claims = {
      iat: typeof iat === 'number' ? now() + iat : iat,
      exp: now() + Number(exp),
    }
    expect(await present(id, claims)).toBe(isTaken ? 200 : REFUSED)
  })

  it('TK-07 an assertion of an hour is good once', async () => {
    const id = await keyed({ assertionSeconds: 3600 })
    const claims = { jti: randomUUID(), exp: now() + 3600 }
    const all = await Promise.all(Array.from({ length: 10 }, () => present(id, claims)))
    expect(all.filter((answer) => answer === 200)).toHaveLength(1)
  })
})
