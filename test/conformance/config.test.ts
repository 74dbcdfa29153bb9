import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Outside } from './outside.ts'

describe('oidcc-config-certification-test-plan', () => {
  let outside: Outside
  beforeAll(async () => {
    outside = await Outside.start()
  })
  afterAll(() => outside[Symbol.asyncDispose]())

  it('oidcc-discovery-endpoint-verification', () => {
    const { metadata, jwks } = outside
    expect(metadata.issuer).toBe('https://id.example.org')
    for (const [name, value] of Object.entries(metadata))
      if (/_endpoint$|_uri$/.test(name))
        expect([name, URL.parse(String(value))?.protocol]).toEqual([name, 'https:'])
    expect(metadata).toMatchObject({
      authorization_endpoint: expect.any(String),
      token_endpoint: expect.any(String),
      userinfo_endpoint: expect.any(String),
      jwks_uri: expect.any(String),
      response_types_supported: expect.arrayContaining(['code']),
      response_modes_supported: expect.arrayContaining(['query', 'form_post']),
      grant_types_supported: expect.arrayContaining(['authorization_code']),
      subject_types_supported: expect.arrayContaining(['public']),
      id_token_signing_alg_values_supported: expect.arrayContaining(['RS256']),
      token_endpoint_auth_methods_supported: expect.arrayContaining([
        'client_secret_basic',
        'client_secret_post',
      ]),
      scopes_supported: expect.arrayContaining(['openid']),
      claims_supported: expect.arrayContaining(['sub', 'name', 'email', 'address']),
      claims_parameter_supported: true,
      request_uri_parameter_supported: false,
    })
    for (const [name, value] of Object.entries(metadata))
      if (Array.isArray(value)) expect([name, value.length]).not.toEqual([name, 0])

    const keys = jwks.keys as Readonly<Record<string, string>>[]
    expect(keys.map(({ kty, use }) => [kty, use])).toContainEqual(['RSA', 'sig'])
    const ids = keys.map(({ kid }) => kid)
    expect(ids.every(Boolean)).toBe(true)
    expect(new Set(ids).size).toBe(ids.length)
    const secret = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth', 'priv']
    expect(keys.flatMap((key) => secret.filter((name) => name in key))).toEqual([])
    const rsa = keys.filter(({ kty }) => kty === 'RSA')
    expect(rsa.map(({ n = '' }) => Buffer.from(n, 'base64url').length * 8 >= 2048)).not.toContain(
      false,
    )
  })

  it('the official suite gets clients that work, and knows who signs in', async () => {
    const { email, password } = outside.person
    const said = await outside.setup('--email', email, '--password', password)
    const { server, browser, ...clients } = JSON.parse(said)
    expect(server.discoveryUrl).toBe(`${outside.metadata.issuer}/.well-known/openid-configuration`)
    expect(JSON.stringify(browser)).toContain(email)
    for (const role of ['client', 'client2'] as const) {
      const form = {
        grant_type: 'authorization_code',
        code: 'x',
        redirect_uri: 'https://x.example/',
      }
      const { body } = await outside.tokenRequest(form, clients[role])
      expect(body.error).toBe('invalid_grant')
    }
  })
})
