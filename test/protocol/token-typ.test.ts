import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { Resources } from '../../src/clients/resources.ts'
import { Client } from '../../src/entities/index.ts'
import { AppError } from '../../src/errors.ts'
import { ownIdentifiers } from '../../src/oidc/clients/own-identifiers.ts'
import { ENDPOINTS } from '../../src/oidc/endpoints.ts'
import { silentAudit } from '../support/audit.ts'
import { createClient, createResource } from '../support/factories.ts'
import { signedByServer } from '../support/own-keys.ts'
import {
  authorizationUrl,
  basic,
  get,
  post,
  type SignedInApp,
  signedInApp,
} from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

const API = 'https://spring.example/'

describe('tokens of type JWT, for verifiers that refuse at+jwt', () => {
  let server: TestServer
  let app: SignedInApp
  let accessToken: string
  let idToken: string
  beforeAll(async () => {
    server = await startServer({ config: { trustedProxyHops: 1 } })
    await createResource(server, {
      identifier: API,
      tokenTyp: 'JWT',
      opensUserinfo: true,
      signingAlg: 'RS256',
    })
    app = await signedInApp(server)
    const { body } = await app.redeem(await app.code({ scope: 'openid read', resource: API }))
    accessToken = body.access_token
    idToken = body.id_token
  })
  afterAll(() => server.stop())

  const userinfo = async (token: string, path = '/userinfo') =>
    (await get(new URL(path, server.origin), { authorization: `Bearer ${token}` })).status

  it('are of that type by both ways, for people and for services, and nothing else is', async () => {
    const service = await createClient(server, { type: 'service', resources: [API] })
    const form = { grant_type: 'client_credentials', scope: 'read' }
    const plain = await createResource(server, { identifier: 'https://plain.example/' })
    const other = await signedInApp(server)
    for (const way of ['', '?way=long']) {
      const ofService = await post(server, `/token${way}`, form, basic(service))
      const headers = { alg: 'RS256', typ: 'JWT', kid: expect.any(String) }
      expect(decodeProtectedHeader(ofService.body.access_token)).toEqual(headers)
      const exchange = async (resource: string, scope: string) =>
        (
          await post(
            server,
            `/token${way}`,
            {
              grant_type: 'authorization_code',
              code: await other.code({ scope, resource }),
              redirect_uri: other.client.redirectUri,
              code_verifier: 'the-verifier-of-these-tests-is-43-characters-long',
            },
            basic(other.client),
          )
        ).body.access_token as string
      expect(decodeProtectedHeader(await exchange(API, 'openid read'))).toEqual(headers)
      const usual = await exchange(plain.identifier, 'openid read')
      expect(decodeProtectedHeader(usual)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' })
    }
  })

  it('verify as Spring does by default: type JWT or none, issuer and audience', async () => {
    const keys = createRemoteJWKSet(new URL('/jwks', server.origin))
    const rules = { issuer: server.origin, audience: API, typ: 'JWT' }
    expect((await jwtVerify(accessToken, keys, rules)).payload.sub).toBe(app.account.id)
  })

  it('JW-03 an ID token is never taken for one: not as it is, and not made for the API', async () => {
    expect(await userinfo(accessToken)).toBe(200)
    const said = decodeJwt(idToken)
    const made = [
      idToken,
      await signedByServer(server, { ...said, aud: API }, { typ: 'JWT' }),
      await signedByServer(server, { ...said, aud: API, jti: 'x' }, { typ: 'JWT' }),
      await signedByServer(server, { ...decodeJwt(accessToken), aud: app.client.clientId }),
    ]
    for (const token of made)
      for (const path of ['/userinfo', '/userinfo?way=long'])
        expect(await userinfo(token, path)).toBe(401)
  })

  it('JW-03 one is never taken for an ID token: no hint of a sign-in or of a sign-out', async () => {
    const hinted = async (id_token_hint: string) => {
      const { location } = await get(
        authorizationUrl(server, app.client.clientId, { id_token_hint, prompt: 'none' }),
      )
      const url = new URL('/session/end', server.origin)
      url.search = new URLSearchParams({ id_token_hint }).toString()
      return [location?.searchParams.get('error'), (await get(url)).status]
    }
    expect(await hinted(idToken)).toEqual(['login_required', 200])
    expect(await hinted(accessToken)).toEqual(['invalid_request', 400])
    // Not even with the audience of an ID token.
    const said = { ...decodeJwt(accessToken), aud: app.client.clientId }
    const made = await signedByServer(server, said, { typ: 'JWT' })
    expect(await hinted(made)).toEqual(['invalid_request', 400])
  })

  it('JW-03 the account API takes none, whatever an operator has registered', async () => {
    const aud = `${server.origin}/api/auth`
    const token = await signedByServer(
      server,
      { ...decodeJwt(accessToken), aud, scope: 'account', sid: 'x' },
      { typ: 'JWT' },
    )
    expect(await server.context.accessTokens.verify(token)).toBeUndefined()
  })

  describe('one namespace', () => {
    const refusalOf = async (identifier: string, more: object = {}) => {
      const resources = new Resources({
        em: server.context.database.em,
        audit: silentAudit,
        isOurs: ownIdentifiers(server.origin),
      })
      const wanted = { identifier, name: 'API', scopes: ['x'], ...more }
      const error = await resources.create(wanted).catch((reason: unknown) => reason)
      return error instanceof AppError ? error.details.fields : undefined
    }

    it('JW-03 no API has a name of the server itself, in whatever spelling', async () => {
      const { origin } = server
      const own = [
        origin,
        `${origin}/`,
        origin.replace('http:', 'HTTP:'),
        ...Object.values(ENDPOINTS)
          .filter(({ path }) => !path.includes(':'))
          .map(({ path }) => origin + path),
        `${origin}/token/`,
        `${origin}/api/auth`,
        `${origin}/api/auth/user`,
        `${origin}/api/admin`,
        `${origin}/api`,
      ]
      for (const identifier of own)
        expect([identifier, await refusalOf(identifier)]).toEqual([
          identifier,
          { identifier: 'identifier_of_server' },
        ])
      expect(await refusalOf(`${origin}/notes`)).toBeUndefined()
      expect(await refusalOf(`http://localhost.evil.example/`)).toBeUndefined()
    })

    it('JW-03 no API has the id of a client, and no client can have the identifier of an API', async () => {
      const em = server.context.database.em.fork()
      const id = 'https://client.example/metadata'
      await em.persist(em.create(Client, { id, name: 'App of later times', metadata: {} })).flush()
      expect(await refusalOf(id)).toEqual({ identifier: 'identifier_of_client' })
      await expect(createClient(server, { clientId: API })).rejects.toThrow(AppError)
    })

    it('a client that serves an API is there and authenticates', async () => {
      const spa = await createClient(server, { secret: null })
      expect(await refusalOf('urn:a', { servedBy: 'nobody' })).toEqual({
        servedBy: 'unknown_client',
      })
      expect(await refusalOf('urn:b', { servedBy: spa.clientId })).toEqual({
        servedBy: 'serving_unproven',
      })
      expect(await refusalOf('urn:c', { servedBy: app.client.clientId })).toBeUndefined()
    })
  })
})
