import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { createClient, createResource, type NewClient } from '../support/factories.ts'
import {
  authorizationUrl,
  basic,
  get,
  post,
  type SignedInApp,
  signedInApp,
} from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

const API = 'https://api.example/'
const JWT = 'application/token-introspection+jwt'
type Caller = Parameters<typeof basic>[0]

describe('introspection answers that are asked for as a JWT (RFC 9701)', () => {
  let server: TestServer
  let app: SignedInApp
  let api: Caller
  beforeAll(async () => {
    server = await startServer({ config: { trustedProxyHops: 1 } })
    api = await createClient(server, { type: 'service', resources: [], introspectionAlg: 'ES256' })
    await createResource(server, { identifier: API, servedBy: api.clientId })
    app = await signedInApp(server)
  })
  afterAll(() => server.stop())

  const introspect = (token: string, by: Caller, accept?: string) =>
    post(
      server,
      '/token/introspection',
      { token },
      { ...basic(by), ...(accept === undefined ? {} : { accept }) },
    )
  const verified = async (jwt: string, audience: string) => {
    const keys = createRemoteJWKSet(new URL('/jwks', server.origin))
    const typ = 'token-introspection+jwt'
    return jwtVerify(jwt, keys, { issuer: server.origin, audience, typ, requiredClaims: ['iat'] })
  }
  const tokens = async (change: Parameters<SignedInApp['code']>[0] = {}) =>
    (await app.redeem(await app.code(change))).body

  it.each<[NewClient['introspectionAlg'], string]>([
    [undefined, 'RS256'],
    ['RS256', 'RS256'],
    ['ES256', 'ES256'],
    ['PS256', 'PS256'],
    ['EdDSA', 'EdDSA'],
  ])('is signed by %s of the client, so %s, and says what JSON says', async (registered, alg) => {
    const mine = await signedInApp(
      server,
      registered === undefined ? {} : { introspectionAlg: registered },
    )
    const { access_token: token } = (await mine.redeem(await mine.code())).body
    const plain = await introspect(token, mine.client)
    const signed = await introspect(token, mine.client, JWT)
    expect([signed.status, signed.headers.get('content-type')]).toEqual([
      200,
      `${JWT}; charset=utf-8`,
    ])
    expect(signed.headers.get('cache-control')).toContain('no-store')
    const { payload, protectedHeader } = await verified(signed.text, mine.client.clientId)
    expect(protectedHeader.alg).toBe(alg)
    expect(plain.body.active).toBe(true)
    expect(payload['token_introspection']).toEqual(plain.body)
    // Nothing beside it, so that nobody takes the answer for the token (RFC 9701 5).
    expect(Object.keys(payload).toSorted()).toEqual(['aud', 'iat', 'iss', 'token_introspection'])
  })

  it('is of JWTs too, and of what is not active', async () => {
    const { access_token: token } = await tokens({ scope: 'openid read', resource: API })
    const { payload } = await verified((await introspect(token, api, JWT)).text, api.clientId)
    expect(payload['token_introspection']).toEqual((await introspect(token, api)).body)
    expect(payload['token_introspection']).toMatchObject({ active: true, aud: API })
    for (const other of ['nothing', 'a.b.c', (await tokens()).id_token]) {
      const answer = await introspect(other, api, JWT)
      const said = (await verified(answer.text, api.clientId)).payload['token_introspection']
      expect(said).toEqual({ active: false })
    }
  })

  it.each([undefined, '*/*', 'application/json', `application/json, ${JWT}`])(
    'is JSON where %s is accepted',
    async (accept) => {
      const { access_token: token } = await tokens()
      const { headers, body } = await introspect(token, app.client, accept)
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
      expect(body.active).toBe(true)
    },
  )

  it('a refusal is JSON: who asks is asked first', async () => {
    const { access_token: token } = await tokens()
    const answer = await introspect(token, { ...app.client, clientSecret: 'wrong' }, JWT)
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client'])
  })

  it('JW-03 an answer is no token: not at userinfo, not at introspection, and no hint', async () => {
    const { access_token: token } = await tokens()
    const { text } = await introspect(token, app.client, JWT)
    const bearer = { authorization: `Bearer ${text}` }
    expect((await get(new URL('/userinfo', server.origin), bearer)).status).toBe(401)
    expect((await introspect(text, app.client)).body).toEqual({ active: false })
    const { location } = await get(
      authorizationUrl(server, app.client.clientId, { id_token_hint: text, prompt: 'none' }),
    )
    expect(location?.searchParams.get('error')).toBe('invalid_request')
  })
})
