import { createHash, generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ClientInput, Clients } from '../../src/clients/clients.ts'
import { sentencesOf } from '../../src/clients/reasons.ts'
import type { ResourceInput } from '../../src/clients/resource-fields.ts'
import { Resources } from '../../src/clients/resources.ts'
import { OIDC_SCOPES } from '../../src/clients/scopes.ts'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { AppError } from '../../src/errors.ts'
import { silentAudit } from '../support/audit.ts'
import { useDatabase } from '../support/database.ts'

const where = useDatabase()
/** Logos are another test's matter. */
const logos = { fetch: async () => undefined }
let database: Database
let clients: Clients
let resources: Resources

beforeAll(async () => {
  database = await openDatabase({ url: where.url, pool: 4 })
  clients = new Clients({ em: database.em, audit: silentAudit, logos })
  resources = new Resources({ em: database.em, audit: silentAudit })
  await resources.create({
    identifier: 'https://api.example.com/notes',
    name: 'Notes',
    scopes: ['notes:read', 'notes:write'],
  })
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
})

const WEB: ClientInput = { name: 'Plant Diary', redirectUris: ['https://app.example.com/callback'] }
const SPA: ClientInput = { ...WEB, type: 'spa' }
const SERVICE: ClientInput = { name: 'Nightly Export', type: 'service' }
const KEYED: ClientInput = { ...WEB, authMethod: 'private_key_jwt' }

const stored = async (id: string) => (await clients.list()).find((client) => client.id === id)

/** The reasons of a refusal by field; fails if it is none. */
async function refusal(work: Promise<unknown>): Promise<Readonly<Record<string, string>>> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof AppError)) throw new Error(`not refused: ${String(error)}`)
  expect(error.code).toBe('invalid_input')
  return sentencesOf(error)
}

const jwk = (
  type: 'rsa1024' | 'rsa2048' | 'rsa3072' | 'rsaE3' | 'p256' | 'p384' | 'ed25519' | 'secp256k1',
  { isPrivate = false } = {},
): Record<string, unknown> => {
  const pair = {
    rsa1024: () => generateKeyPairSync('rsa', { modulusLength: 1024 }),
    rsa2048: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    rsa3072: () => generateKeyPairSync('rsa', { modulusLength: 3072 }),
    rsaE3: () => generateKeyPairSync('rsa', { modulusLength: 3072, publicExponent: 3 }),
    p256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    p384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    secp256k1: () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
    ed25519: () => generateKeyPairSync('ed25519'),
  }[type]()
  return { ...(isPrivate ? pair.privateKey : pair.publicKey).export({ format: 'jwk' }) }
}

describe('client secrets', () => {
  it('TK-07 are told once and kept as a SHA-256 digest only', async () => {
    const { client, secret = '' } = await clients.create(WEB)
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
    const { rows } = await database.pool.query<{ row: string }>(
      'select "client"::text as row from "client" where "id" = $1',
      [client.id],
    )
    expect(rows[0]?.row).not.toContain(secret)
    expect(rows[0]?.row).toContain(createHash('sha256').update(secret).digest('base64url'))
  })

  it('TK-07 change when rotated: the digest of the old one is gone', async () => {
    const { client, secret = '' } = await clients.create(WEB)
    const next = await clients.rotateSecret(client.id)
    expect(next).not.toBe(secret)
    expect((await stored(client.id))?.secretDigest).toBe(
      createHash('sha256').update(next).digest('base64url'),
    )
  })

  it('exist only where the client authenticates with one', async () => {
    expect(await clients.create(SPA)).not.toHaveProperty('secret')
    const { client, secret } = await clients.create({ ...KEYED, jwks: { keys: [jwk('p256')] } })
    expect(secret).toBeUndefined()
    expect(await refusal(clients.rotateSecret(client.id))).toEqual({
      id: expect.stringContaining('no secret'),
    })
  })
})

describe('registration', () => {
  it('CL-01 spells out every allowlist, so that no default widens it', async () => {
    const { client } = await clients.create(WEB)
    expect(client.metadata).toEqual({
      application_type: 'web',
      redirect_uris: ['https://app.example.com/callback'],
      post_logout_redirect_uris: [],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      response_modes: ['query', 'form_post'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'RS256',
      scope: 'openid profile email offline_access',
      allowed_resources: [],
    })
  })

  it('CL-01 gives a service no redirect, no code and no scope of a person', async () => {
    const { client, secret } = await clients.create({
      ...SERVICE,
      resources: ['https://api.example.com/notes'],
    })
    expect(secret).toBeDefined()
    expect(client.metadata).toMatchObject({
      redirect_uris: [],
      grant_types: ['client_credentials'],
      response_types: [],
      scope: 'notes:read notes:write',
      allowed_resources: ['https://api.example.com/notes'],
    })
  })

  it.each<[string, ClientInput, string]>([
    ['a web client that does not authenticate', { ...WEB, authMethod: 'none' }, 'authMethod'],
    [
      'a single-page app with a secret',
      { ...SPA, authMethod: 'client_secret_basic' },
      'authMethod',
    ],
    [
      'a native app with a secret',
      { ...WEB, type: 'native', authMethod: 'client_secret_post' },
      'authMethod',
    ],
    [
      'client_credentials without authentication',
      { ...SPA, grantTypes: ['authorization_code', 'client_credentials'] },
      'grantTypes',
    ],
    [
      'a service with a code grant',
      { ...SERVICE, grantTypes: ['authorization_code'] },
      'grantTypes',
    ],
    [
      'a service with a redirect',
      { ...SERVICE, redirectUris: ['https://app.example.com/'] },
      'redirectUris',
    ],
    ['an app without a code grant', { ...WEB, grantTypes: ['refresh_token'] }, 'grantTypes'],
    ['an app without a redirect', { name: 'App' }, 'redirectUris'],
    ['the implicit grant', { ...WEB, grantTypes: ['implicit' as 'refresh_token'] }, 'grantTypes.0'],
    ['the password grant', { ...WEB, grantTypes: ['password' as 'refresh_token'] }, 'grantTypes.0'],
    ['client_secret_jwt', { ...WEB, authMethod: 'client_secret_jwt' as 'none' }, 'authMethod'],
    [
      'an unknown response mode',
      { ...WEB, responseModes: ['web_message' as 'query'] },
      'responseModes.0',
    ],
    ['ID tokens signed HS256', { ...WEB, idTokenAlg: 'HS256' as 'ES256' }, 'idTokenAlg'],
    ['unsigned ID tokens', { ...WEB, idTokenAlg: 'none' as 'ES256' }, 'idTokenAlg'],
    ['a scope that no API of it has', { ...WEB, scopes: ['openid', 'notes:read'] }, 'scopes'],
    ['a scope of a person for a service', { ...SERVICE, scopes: ['openid'] }, 'scopes'],
    [
      'an API that is not registered',
      { ...WEB, resources: ['https://api.example.com/other'] },
      'resources',
    ],
    ['keys without private_key_jwt', { ...WEB, jwks: { keys: [] } }, 'jwks'],
    ['private_key_jwt without keys', KEYED, 'jwks'],
    [
      'private_key_jwt with two sources of keys',
      { ...KEYED, jwks: { keys: [] }, jwksUri: 'https://app.example.com/jwks' },
      'jwks',
    ],
  ])('CL-01 refuses %s', async (_what, input, field) => {
    expect(Object.keys(await refusal(clients.create(input)))).toContain(field)
  })

  it('CL-01 keeps a narrower choice of scopes', async () => {
    const { client } = await clients.create({
      ...WEB,
      resources: ['https://api.example.com/notes'],
      scopes: ['openid', 'notes:read'],
    })
    expect(client.metadata['scope']).toBe('openid notes:read')
  })

  it.each<[string, unknown]>([
    ['an unknown member', { ...WEB, require_pkce: false }],
    ['a member of the row', { ...WEB, id: 'gatehouse-account' }],
    ['a digest of its own choice', { ...WEB, secretDigest: 'x' }],
    ['an array as the name', { ...WEB, name: ['a'] }],
    ['an object as the name', { ...WEB, name: { $ne: null } }],
    ['text as the redirect URIs', { ...WEB, redirectUris: 'https://app.example.com/' }],
    ['text as a flag', { ...WEB, isFirstParty: 'true' }],
    ['null', null],
    ['an array', []],
    ['text', 'x'],
  ])('IN-01 refuses %s', async (_what, input) => {
    expect(Object.keys(await refusal(clients.create(input as ClientInput)))).not.toHaveLength(0)
  })

  it.each(['', ' x', 'a\nb', 'a\u0000b', 'Bank \u202eelgooG', 'a'.repeat(101)])(
    'refuses the name %j',
    async (name) => {
      expect(await refusal(clients.create({ ...WEB, name }))).toHaveProperty('name')
    },
  )

  it('AZ-01 names each redirect URI that is wrong', async () => {
    const redirectUris = [
      'https://app.example.com/',
      'https://app.example.com/*',
      'http://app.example.com/',
    ]
    expect(
      await refusal(
        clients.create({ ...WEB, redirectUris, postLogoutRedirectUris: ['javascript:alert(1)'] }),
      ),
    ).toEqual({
      'redirectUris.1': 'contains a wildcard',
      'redirectUris.2': 'is plain http; only localhost, 127.0.0.1 and [::1] may be',
      'postLogoutRedirectUris.0': 'uses the scheme javascript:',
    })
  })

  it('takes 50 redirect URIs, not 51, and none twice', async () => {
    const uris = Array.from({ length: 51 }, (_, index) => `https://app.example.com/${index}`)
    await clients.create({ ...WEB, redirectUris: uris.slice(1) })
    expect(await refusal(clients.create({ ...WEB, redirectUris: uris }))).toHaveProperty(
      'redirectUris',
    )
    expect(
      await refusal(
        clients.create({ ...WEB, redirectUris: ['https://a.example/', 'https://a.example/'] }),
      ),
    ).toHaveProperty('redirectUris')
  })

  it('AZ-14 makes nobody first-party who cannot prove it', async () => {
    expect(
      await refusal(
        clients.create({ ...SPA, redirectUris: ['http://localhost:5173/'], isFirstParty: true }),
      ),
    ).toHaveProperty('isFirstParty')
    const native: ClientInput = {
      name: 'App',
      type: 'native',
      redirectUris: ['com.example.app:/callback'],
      isFirstParty: true,
    }
    expect(await refusal(clients.create(native))).toHaveProperty('isFirstParty')
    expect((await clients.create({ ...SPA, isFirstParty: true })).client.isFirstParty).toBe(true)
    expect(
      (
        await clients.create({
          ...WEB,
          redirectUris: ['http://localhost:3000/cb'],
          isFirstParty: true,
        })
      ).client.isFirstParty,
    ).toBe(true)
  })

  it.each([
    'http://app.example.com/logo.png',
    'javascript:alert(1)',
    'data:image/svg+xml,<svg/>',
    'https://user@app.example.com/',
    'https://@app.example.com/',
    'https://localhost/',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://2130706433/',
    'https://intranet/',
    'https://printer.local/',
    'https://app.example.com/#x',
    'https://app.example.com:25/',
    'https://app.example.com:6379/',
    'https://app.example.com:5432/',
    'https://app.example.com:10080/',
    'https:\\\\app.example.com\\',
    '//app.example.com/logo.png',
    'https://app.example.com/lo go.png',
    'https://app.example.com/"><script>',
  ])('CL-03 and CL-04 refuse %s as a link or a place to fetch from', async (uri) => {
    const fields = ['logoUri', 'policyUri', 'tosUri', 'clientUri', 'backchannelLogoutUri'] as const
    const refused = await refusal(
      clients.create({ ...WEB, ...Object.fromEntries(fields.map((field) => [field, uri])) }),
    )
    expect(Object.keys(refused).toSorted()).toEqual([...fields].toSorted())
    expect(await refusal(clients.create({ ...KEYED, jwksUri: uri }))).toHaveProperty('jwksUri')
  })

  it('CL-03 accepts https links', async () => {
    const { client } = await clients.create({
      ...WEB,
      logoUri: 'https://cdn.example.com/@plant/logo.png',
      tosUri: 'https://example.com/tos?lang=en',
    })
    expect(client.metadata).toMatchObject({
      logo_uri: 'https://cdn.example.com/@plant/logo.png',
      tos_uri: 'https://example.com/tos?lang=en',
    })
  })
})

describe('keys of a client (JW-06)', () => {
  const keyed = (keys: readonly unknown[]) => clients.create({ ...KEYED, jwks: { keys } })

  it('JW-06 accepts RSA of 2048 bits, and leaves out keys for encryption', async () => {
    const { client } = await keyed([
      { ...jwk('rsa2048'), kid: 'a', use: 'sig' },
      { ...jwk('rsa2048'), kid: 'a', use: 'enc', alg: 'RSA-OAEP' },
      { ...jwk('p384'), kid: 'b', alg: 'ECDH-ES+A256KW' },
    ])
    const { keys } = client.metadata['jwks'] as { keys: { kid: string; use?: string }[] }
    expect(keys.map(({ kid, use }) => [kid, use])).toEqual([['a', 'sig']])
  })

  it('JW-06 accepts RSA of 3072 bits, P-256 and Ed25519, and keeps only what makes up the key', async () => {
    const keys = [
      {
        ...jwk('rsa3072'),
        kid: 'a',
        alg: 'PS256',
        use: 'sig',
        x5u: 'https://evil.example/cert',
        note: 1,
      },
      { ...jwk('p256'), kid: 'b' },
      { ...jwk('ed25519'), kid: 'c', alg: 'EdDSA' },
    ]
    const { client } = await keyed(keys)
    const kept = (client.metadata['jwks'] as { keys: object[] }).keys
    expect(kept.map((key) => Object.keys(key).toSorted())).toEqual([
      ['alg', 'e', 'kid', 'kty', 'n', 'use'],
      ['crv', 'kid', 'kty', 'x', 'y'],
      ['alg', 'crv', 'kid', 'kty', 'x'],
    ])
  })

  it.each<[string, () => readonly unknown[], RegExp]>([
    ['RSA of 1024 bits', () => [jwk('rsa1024')], /2048/],
    ['RSA with e=3', () => [jwk('rsaE3')], /65537/],
    ['P-384', () => [jwk('p384')], /none of/],
    ['secp256k1', () => [jwk('secp256k1')], /none of/],
    ['a private EC key', () => [jwk('p256', { isPrivate: true })], /not public/],
    ['a private RSA key', () => [jwk('rsa3072', { isPrivate: true })], /not public/],
    ['a symmetric key', () => [{ kty: 'oct', k: 'c2VjcmV0' }], /not public/],
    [
      'a point off the curve',
      () => [{ ...jwk('p256'), y: Buffer.alloc(32, 1).toString('base64url') }],
      /not a valid key/,
    ],
    ['an encryption key alone', () => [{ ...jwk('p256'), use: 'enc' }], /signatures/],
    ['a key for neither', () => [{ ...jwk('p256'), use: 'wrap' }], /signatures/],
    [
      'a private encryption key',
      () => [jwk('ed25519'), { ...jwk('rsa2048', { isPrivate: true }), use: 'enc' }],
      /not public/,
    ],
    ['HS256 with a public key', () => [{ ...jwk('rsa3072'), alg: 'HS256' }], /"alg"/],
    ['alg none', () => [{ ...jwk('p256'), alg: 'none' }], /"alg"/],
    ['a member that is an object', () => [{ ...jwk('p256'), kid: { $ne: null } }], /not text/],
    [
      'eleven keys',
      () => Array.from({ length: 11 }, (_, index) => ({ ...jwk('ed25519'), kid: String(index) })),
      /more than 10/,
    ],
    [
      'one kid twice',
      () => [jwk('ed25519'), jwk('ed25519')].map((key) => ({ ...key, kid: 'x' })),
      /kid/,
    ],
    ['two keys without kid', () => [jwk('ed25519'), jwk('ed25519')], /kid/],
    ['no key', () => [], /keys/],
    ['text as a key', () => ['x'], /not an object/],
    ['more than 64 kB', () => [{ ...jwk('ed25519'), note: 'x'.repeat(65_536) }], /64 kB/],
  ])('JW-06 refuses %s', async (_what, keys, reason) => {
    expect((await refusal(keyed(keys())))['jwks']).toMatch(reason)
  })
})

describe('assertions of a client (TK-07)', () => {
  const jwks = { keys: [jwk('p256')] }

  it.each<[string, Partial<ClientInput>, string]>([
    ['two hours', { ...KEYED, jwks, assertionSeconds: 7200 }, 'assertionSeconds'],
    ['half a second', { ...KEYED, jwks, assertionSeconds: 0.5 }, 'assertionSeconds'],
    ['an hour of one with a secret', { assertionSeconds: 3600 }, 'assertionSeconds'],
    [
      'the endpoint for one with a secret',
      { assertionAudience: 'token-endpoint' },
      'assertionAudience',
    ],
  ])('TK-07 refuses %s', async (_what, change, field) => {
    expect(Object.keys(await refusal(clients.create({ ...WEB, ...change })))).toEqual([field])
  })
})

describe('resources', () => {
  it('TK-17 issues for ten minutes unless told otherwise', async () => {
    const resource = await resources.create({
      identifier: 'https://api.example.com/mail',
      name: 'Mail',
      scopes: ['mail:read'],
    })
    expect(resource.accessTokenSeconds).toBe(600)
    expect(
      (await resources.list()).find(
        ({ identifier }) => identifier === 'https://api.example.com/mail',
      ),
    ).toMatchObject({
      scopes: ['mail:read'],
      signingAlg: 'ES256',
    })
  })

  it.each<[string, Partial<ResourceInput>, string]>([
    ['a fragment', { identifier: 'https://api.example.com/#a' }, 'identifier'],
    ['a query', { identifier: 'https://api.example.com/?a' }, 'identifier'],
    ['a relative reference', { identifier: '/notes' }, 'identifier'],
    ['a name alone', { identifier: 'notes' }, 'identifier'],
    ['a user name', { identifier: 'https://u@api.example.com/' }, 'identifier'],
    ['no host', { identifier: 'https:///notes' }, 'identifier'],
    ['white space', { identifier: 'https://api.example.com/ a' }, 'identifier'],
    ['a scope with a space', { scopes: ['a b'] }, 'scopes.0'],
    ['a scope with a quote', { scopes: ['a"b'] }, 'scopes.0'],
    ['no scope', { scopes: [] }, 'scopes'],
    ['a scope twice', { scopes: ['a', 'a'] }, 'scopes'],
    ['an empty description', { scopeDescriptions: { x: '' } }, 'scopes.0'],
    ['a description of blanks', { scopeDescriptions: { x: '\u200b\u3164' } }, 'scopes.0'],
    ['a description that turns', { scopeDescriptions: { x: 'Read \u202eseton' } }, 'scopes.0'],
    ['a description of two lines', { scopeDescriptions: { x: 'Read\nnotes' } }, 'scopes.0'],
    ['a description of 101 characters', { scopeDescriptions: { x: 'x'.repeat(101) } }, 'scopes.0'],
    ['a description of no scope', { scopeDescriptions: { y: 'Read' } }, 'scopeDescriptions'],
    ['tokens for a day', { accessTokenSeconds: 86_400 }, 'accessTokenSeconds'],
    ['tokens signed HS256', { signingAlg: 'HS256' as 'ES256' }, 'signingAlg'],
  ])('RFC 8707 refuses %s', async (_what, change, field) => {
    const input: ResourceInput = {
      identifier: 'https://api.example.com/x',
      name: 'X',
      scopes: ['x'],
      ...change,
    }
    expect(await refusal(resources.create(input))).toHaveProperty([field])
  })

  it('refuses an identifier that is taken, and scopes of OpenID Connect', async () => {
    expect(
      await refusal(
        resources.create({ identifier: 'https://api.example.com/notes', name: 'N', scopes: ['a'] }),
      ),
    ).toHaveProperty('identifier')
    for (const scope of OIDC_SCOPES)
      expect(
        await refusal(
          resources.create({ identifier: 'https://api.example.com/y', name: 'Y', scopes: [scope] }),
        ),
      ).toHaveProperty(['scopes.0'])
  })

  it('takes a URN', async () => {
    await resources.create({
      identifier: 'urn:example:billing',
      name: 'Billing',
      scopes: ['billing'],
    })
    expect((await resources.list()).map(({ identifier }) => identifier)).toContain(
      'urn:example:billing',
    )
  })
})

describe('built-in clients', () => {
  it('are replaced under the same id, and keep the time they were made', async () => {
    await clients.ensure({ id: 'sample', ...SPA })
    const before = await stored('sample')
    await clients.ensure({
      id: 'sample',
      ...SPA,
      name: 'Renamed',
      redirectUris: ['http://localhost:4000/'],
    })
    const after = await stored('sample')
    expect(after).toMatchObject({
      name: 'Renamed',
      metadata: { redirect_uris: ['http://localhost:4000/'] },
    })
    expect(after?.createdAt).toEqual(before?.createdAt)
    expect(await refusal(clients.ensure({ id: 'sample', ...WEB }))).toHaveProperty('authMethod')
  })

  it('disable and enable without changing anything else', async () => {
    const { client } = await clients.create(WEB)
    await clients.disable(client.id)
    expect((await stored(client.id))?.disabledAt).toBeInstanceOf(Date)
    await clients.enable(client.id)
    expect(await stored(client.id)).toMatchObject({
      disabledAt: null,
      secretDigest: client.secretDigest,
    })
    await expect(clients.disable('nobody')).rejects.toMatchObject({ code: 'not_found' })
  })
})
