import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { SignJWT } from 'jose'
import type { ClientInput, Registration } from '../../src/clients/clients.ts'
import { heard } from '../support/heard.ts'
import { send } from '../support/http.ts'
import { basic } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

const API = 'https://api.example.com/'
let server: TestServer
let byHeader: Registration
let byForm: Registration

beforeAll(async () => {
  server = await startServer()
  await server.context.resources.create({ identifier: API, name: 'API', scopes: ['read', 'write'] })
  byHeader = await service()
  byForm = await service({ authMethod: 'client_secret_post' })
})
afterAll(() => server.stop())

const service = (change: Partial<ClientInput> = {}): Promise<Registration> =>
  server.context.clients.create({
    name: 'Export',
    type: 'service',
    resources: [API],
    scopes: ['read'],
    ...change,
  })

const basicAuth = (clientId: string, clientSecret?: string) => basic({ clientId, clientSecret })

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: Headers
}

async function token(
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...fields }).toString()
  const response = await send(`${server.origin}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body,
  })
  return {
    status: response.status,
    body: (await response.json()) as Answer['body'],
    headers: response.headers,
  }
}

const asBasic = (secret: string | undefined, fields: Readonly<Record<string, string>> = {}) =>
  token({ resource: API, scope: 'read', ...fields }, basicAuth(byHeader.client.id, secret))

describe('client secrets at the token endpoint', () => {
  it('TK-07 lets the right secret in, in the header or the form, whichever is registered', async () => {
    for (const { client, secret = '' } of [byHeader, byForm]) {
      const asked = { resource: API, scope: 'read' }
      const inHeader = await token(asked, basicAuth(client.id, secret))
      const inForm = await token({ client_id: client.id, client_secret: secret, ...asked })
      expect([inHeader.status, inForm.status]).toEqual([200, 200])
    }
  })

  it('TK-07 refuses a wrong secret in either place, and none at all', async () => {
    for (const { client } of [byHeader, byForm])
      for (const { status, body } of [
        await token({ client_id: client.id, client_secret: 'wrong' }),
        await token({}, basicAuth(client.id, 'wrong')),
        await token({ client_id: client.id }),
      ])
        expect([status, body]).toMatchObject([
          401,
          { error: 'invalid_client', error_description: 'client authentication failed' },
        ])
  })

  it('TK-07 refuses two methods at once, whichever of them is right', async () => {
    for (const { client, secret = '' } of [byHeader, byForm])
      for (const [inForm, inHeader] of [
        [secret, secret],
        [secret, 'wrong'],
        ['wrong', secret],
      ]) {
        const { status, body } = await token(
          { client_id: client.id, client_secret: inForm ?? '', resource: API },
          basicAuth(client.id, inHeader),
        )
        expect([status, body['error']]).toEqual([400, 'invalid_request'])
      }
  })

  it('TK-07 refuses what a stolen database holds: the digest is no secret', async () => {
    expect((await asBasic(byHeader.client.secretDigest ?? '')).status).toBe(401)
  })

  it.each<[string, (secret: string) => string]>([
    ['cut by one character', (secret) => secret.slice(0, -1)],
    ['with one character more', (secret) => `${secret}A`],
    ['with a space behind', (secret) => `${secret} `],
    ['in other case', (secret) => secret.toLowerCase()],
    ['twice', (secret) => secret + secret],
    ['with padding', (secret) => `${secret}=`],
    ['of more than 1 kB', () => 'x'.repeat(1025)],
  ])('TK-07 refuses the secret %s', async (_what, change) => {
    const { status, body, headers } = await asBasic(change(byHeader.secret ?? ''))
    expect([status, body['error']]).toEqual([401, 'invalid_client'])
    expect(headers.get('www-authenticate')).toMatch(/^Basic /)
  })

  it('TK-07 refuses a secret that was rotated, and a client that was disabled, once it has heard of it', async () => {
    const { client, secret } = await service()
    const tryWith = async (value?: string) => (await token({}, basicAuth(client.id, value))).status
    expect(await tryWith(secret)).toBe(200)
    const next = await server.context.clients.rotateSecret(client.id)
    await heard(server)
    expect([await tryWith(secret), await tryWith(next)]).toEqual([401, 200])
    await server.context.clients.disable(client.id)
    await heard(server)
    expect(await tryWith(next)).toBe(401)
  })

  it('TK-15 answers an unknown client as it does a wrong secret', async () => {
    const wrong = await asBasic('wrong')
    const unknown = await token({ resource: API, scope: 'read' }, basicAuth('nobody', 'wrong'))
    expect([unknown.status, unknown.body]).toEqual([wrong.status, wrong.body])
  })
})

describe('private_key_jwt', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  let id: string
  beforeAll(async () => {
    const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }] }
    id = (await service({ authMethod: 'private_key_jwt', jwks })).client.id
  })

  interface Assertion {
    readonly iss?: string
    readonly sub?: string
    readonly aud?: string | string[]
    readonly seconds?: number
    readonly jti?: string
    readonly alg?: string
    readonly key?: typeof privateKey | Uint8Array
  }
  const assertion = ({
    iss = id,
    sub = id,
    aud = server.origin,
    seconds = 60,
    jti = randomUUID(),
    alg = 'ES256',
    key = privateKey,
  }: Assertion) =>
    new SignJWT({ iss, sub, aud, jti })
      .setProtectedHeader({ alg, kid: 'k1' })
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
      .sign(key)
  const present = async (value: string): Promise<Answer> =>
    token({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: value,
      resource: API,
      scope: 'read',
    })

  it('TK-07 takes no secret of a client that has a key, in neither place', async () => {
    for (const secret of ['x', '', byHeader.secret ?? ''])
      for (const { status } of [
        await token({ client_id: id, client_secret: secret, resource: API }),
        await token({ resource: API }, basicAuth(id, secret)),
      ])
        expect([400, 401]).toContain(status)
  })

  it('TK-07 lets an assertion in once', async () => {
    const once = await assertion({})
    expect((await present(once)).status).toBe(200)
    expect((await present(once)).status).toBe(401)
  })

  it('TK-07 lets one of 20 parallel uses of an assertion in', async () => {
    const once = await assertion({})
    const statuses = (await Promise.all(Array.from({ length: 20 }, () => present(once)))).map(
      ({ status }) => status,
    )
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
  })

  it.each<[string, () => Assertion]>([
    ['for the token endpoint', () => ({ aud: `${server.origin}/token` })],
    ['for several audiences', () => ({ aud: [server.origin, 'https://other.example'] })],
    ['for another server', () => ({ aud: 'https://other.example' })],
    ['of another issuer', () => ({ iss: 'someone' })],
    ['about another client', () => ({ iss: byHeader.client.id, sub: byHeader.client.id })],
    ['that is expired', () => ({ seconds: -60 })],
    ['that lives an hour', () => ({ seconds: 3600 })],
    [
      'by another key',
      () => ({ key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }),
    ],
    [
      'by HS256 with the public key',
      () => ({ alg: 'HS256', key: publicKey.export({ type: 'spki', format: 'der' }) }),
    ],
  ])('TK-07 and JW-01 refuse an assertion %s', async (_what, change) => {
    const { status, body } = await present(await assertion(change()))
    expect([status, body['error']]).toEqual([401, 'invalid_client'])
  })
})

describe('allowlists of a client', () => {
  it('CL-01 hands out the scopes it was registered with, and no other of the API', async () => {
    expect((await asBasic(byHeader.secret)).body['scope']).toBe('read')
    const { body } = await asBasic(byHeader.secret, { scope: 'read write' })
    expect([body['error'], body['access_token']]).toEqual(['invalid_scope', undefined])
  })

  it('CL-01 refuses an API that the client was not registered for', async () => {
    await server.context.resources.create({
      identifier: 'https://other.example/',
      name: 'Other',
      scopes: ['read'],
    })
    const { status, body } = await asBasic(byHeader.secret, { resource: 'https://other.example/' })
    expect([status, body['error']]).toEqual([400, 'invalid_target'])
  })

  it('CL-01 refuses a grant that the client was not registered for', async () => {
    const { client, secret } = await server.context.clients.create({
      name: 'Web',
      redirectUris: ['https://app.example.com/'],
    })
    const { status, body } = await token({}, basicAuth(client.id, secret))
    expect([status, body]).toEqual([
      400,
      expect.not.objectContaining({ access_token: expect.anything() }),
    ])
  })

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['a response mode', { response_mode: 'fragment' }, 'invalid_request'],
    ['only a scope of the person', { scope: 'phone' }, 'invalid_scope'],
    ['an API', { resource: API }, 'invalid_target'],
  ])(
    'CL-01 refuses at /auth %s that the client was not registered for',
    async (_what, change, error) => {
      const { client } = await server.context.clients.create({
        name: 'Web',
        redirectUris: ['https://app.example.com/'],
        scopes: ['openid'],
      })
      const parameters = new URLSearchParams({
        client_id: client.id,
        redirect_uri: 'https://app.example.com/',
        response_type: 'code',
        scope: 'openid',
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
        state: 's',
        ...change,
      })
      const response = await send(`${server.origin}/auth?${parameters.toString()}`)
      const location = URL.parse(response.headers.get('location') ?? '')
      const answer = location
        ? new URLSearchParams(location.search || location.hash.slice(1))
        : undefined
      expect([answer?.get('error') ?? response.status, answer?.has('code') ?? false]).toEqual([
        location ? error : 400,
        false,
      ])
    },
  )
})
