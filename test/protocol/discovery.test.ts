import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { send } from '../support/http.ts'
import { get } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
const said: string[] = []

beforeAll(async () => {
  for (const method of ['info', 'warn', 'log', 'error', 'debug'] as const)
    jest
      .spyOn(console, method)
      .mockImplementation((...all: unknown[]) => void said.push(all.map(String).join(' ')))
  server = await startServer()
})
afterAll(async () => {
  await server.stop()
  jest.restoreAllMocks()
})

const document = async (path: string) =>
  (await get(new URL(path, server.origin))).body as Record<string, unknown>

describe('discovery', () => {
  it('oidc-provider has nothing to remark on the configuration: every NOTICE or WARNING at the start fails here', async () => {
    await document('/.well-known/openid-configuration')
    await get(new URL('/auth?client_id=nobody', server.origin))
    expect(said).toEqual([])
  })

  it('is the same at both well-known addresses (OpenID Connect Discovery 4, RFC 8414 3), and may be read from any origin', async () => {
    const [oidc, oauth] = await Promise.all([
      document('/.well-known/openid-configuration'),
      document('/.well-known/oauth-authorization-server'),
    ])
    expect(oauth).toEqual(oidc)
    const { headers } = await get(new URL('/.well-known/openid-configuration', server.origin), {
      origin: 'https://anyone.example',
    })
    expect(headers.get('access-control-allow-origin')).toMatch(/^(\*|https:\/\/anyone\.example)$/)
    expect(headers.get('access-control-allow-credentials')).toBeNull()
  })

  it('AZ-04 AZ-05 TK-07 JW-05 says what is there, and nothing that is not', async () => {
    const { origin } = server
    expect(await document('/.well-known/openid-configuration')).toEqual({
      issuer: origin,
      authorization_endpoint: `${origin}/auth`,
      token_endpoint: `${origin}/token`,
      userinfo_endpoint: `${origin}/userinfo`,
      jwks_uri: `${origin}/jwks`,
      introspection_endpoint: `${origin}/token/introspection`,
      revocation_endpoint: `${origin}/token/revocation`,
      end_session_endpoint: `${origin}/session/end`,
      response_types_supported: ['code'],
      response_modes_supported: ['form_post', 'fragment', 'query'],
      grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
      id_token_signing_alg_values_supported: ['ES256', 'RS256', 'PS256', 'EdDSA'],
      introspection_signing_alg_values_supported: ['ES256', 'RS256', 'PS256', 'EdDSA'],
      subject_types_supported: ['public'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: [
        'client_secret_basic',
        'client_secret_post',
        'private_key_jwt',
        'none',
      ],
      token_endpoint_auth_signing_alg_values_supported: [
        'ES256',
        'RS256',
        'PS256',
        'EdDSA',
        'Ed25519',
      ],
      scopes_supported: [
        'openid',
        'profile',
        'email',
        'phone',
        'address',
        'groups',
        'offline_access',
      ],
      claims_supported: expect.arrayContaining([
        'sub',
        'name',
        'email',
        'email_verified',
        'phone_number',
        'address',
        'acr',
        'amr',
        'auth_time',
        'groups',
      ]),
      claim_types_supported: ['normal', 'distributed'],
      acr_values_supported: ['urn:gatehouse:acr:1fa', 'urn:gatehouse:acr:2fa', 'phr'],
      prompt_values_supported: ['none', 'login', 'consent', 'select_account', 'create'],
      ui_locales_supported: [
        'en',
        'ar',
        'de',
        'es',
        'fr',
        'it',
        'ja',
        'nl',
        'pl',
        'pt-BR',
        'tr',
        'uk',
        'zh-Hans',
      ],
      authorization_response_iss_parameter_supported: true,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      claims_parameter_supported: true,
      request_uri_parameter_supported: false,
    })
  })

  it('names first what is most usual, and the keys that sign, by algorithm, before those that wait or only verify', async () => {
    const { context, origin } = server
    const algs = async () =>
      ((await document('/jwks'))['keys'] as { alg: string; kid: string }[]).map(
        ({ alg, kid }) => [alg, kid] as const,
      )
    const before = await algs()
    expect(before.map(([alg]) => alg)).toEqual(['ES256', 'RS256', 'PS256', 'EdDSA'])
    await context.keys.rotate('EdDSA')
    const waiting = await context.keys.rotate('ES256')
    await context.authorizationServer.reloadKeys()
    const after = await algs()
    expect(after.slice(0, 4)).toEqual(before)
    expect(after.slice(4).map(([alg]) => alg)).toEqual(['ES256', 'EdDSA'])
    expect(after[4]?.[1]).toBe(waiting)
    await using another = await startServer({
      database: { url: server.config.database.url },
      issuer: origin,
    })
    const { keys } = (await (
      await send(`${origin}/jwks`, { connect: another.address })
    ).json()) as {
      keys: { kid: string }[]
    }
    expect(keys.map(({ kid }) => kid)).toEqual(after.map(([, kid]) => kid))
  })

  it.each([
    '/reg',
    '/device',
    '/request',
    '/backchannel',
    '/me',
    '/certs',
    '/token/',
    '/auth/device',
    '/session/check',
  ])('there is nothing at %s', async (path) => {
    const { status } = await get(new URL(path, server.origin))
    expect([400, 404]).toContain(status)
  })
})
