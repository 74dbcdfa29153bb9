import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Client, Provider } from 'oidc-provider'
import { OUR_METADATA } from '../../src/oidc/clients/client-metadata.ts'
import { isKnownClient } from '../../src/oidc/fast-path/allow-list.ts'
import { FEATURES } from '../../src/oidc/features.ts'
import { engineModule } from '../support/engine.ts'
import {
  createAccount,
  createClient,
  createResource,
  type NewClient,
  REDIRECT_URI,
} from '../support/factories.ts'
import { storeOddClient } from '../support/odd-clients.ts'
import { basic, CHALLENGE, VERIFIER } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  ask,
  type Counted,
  countProvided,
  formShot,
  longWay,
  type Shot,
  seen,
} from '../support/two-ways.ts'

type Metadata = Readonly<Record<string, unknown>>

const APP = {
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  response_types: ['code'],
  redirect_uris: [REDIRECT_URI],
}
/** Of every member, one after the other, whatever it is for. */
const VALUES = [
  true,
  60,
  'RS256',
  'pairwise',
  'client_secret_post',
  'operator',
  'https://client.example/x',
  [],
  ['urn:gatehouse:acr:2fa'],
  ['authorization_code', 'refresh_token'],
  { keys: [] },
] as const
const ATTRIBUTES = await engineModule<Readonly<Record<string, readonly string[]>>>(
  'consts/client_attributes',
)
const PARAMETERS = await engineModule<readonly string[]>('consts/param_list')
/** Every name that the engine knows under any feature, ours, and one that nobody knows. */
const MEMBERS = [
  ...new Set([
    ...['RECOGNIZED_METADATA', 'STRING', 'BOOL', 'ARYS', 'WEB_URI'].flatMap(
      (list) => ATTRIBUTES[list] ?? [],
    ),
    ...Object.keys(ATTRIBUTES['DEFAULTS'] ?? {}),
    ...OUR_METADATA,
    'not_before',
    'unheard_of',
  ]),
].filter((name) => name !== 'client_id' && name !== 'client_secret')
const VARIANTS = MEMBERS.flatMap((name) => VALUES.map((value) => ({ [name]: value })))

describe('the fast path and the engine', () => {
  let server: TestServer
  let provided: Counted
  let provider: Provider
  let accountId: string
  let api: string

  beforeAll(async () => {
    server = await startServer({ config: { trustedProxyHops: 1 } })
    provided = countProvided(server)
    provider = server.context.authorizationServer.provider
    accountId = (await createAccount(server, { password: null })).id
    api = (await createResource(server)).identifier
  })
  afterAll(() => server.stop())

  /** What one and the other way answer, and whether the fast path was the one. */
  async function bothWays(shots: readonly [Shot, Shot]) {
    const before = provided.count
    const fast = await seen(await ask(server, shots[0]))
    const isServed = provided.count === before
    return { fast, engine: await seen(await ask(server, longWay(shots[1]))), isServed }
  }

  const twice = (shot: Shot): readonly [Shot, Shot] => [shot, shot]

  async function facts(client: Client) {
    const grant = new provider.Grant({ accountId, clientId: client.clientId })
    grant.addOIDCScope('openid email')
    const grantId = await grant.save()
    return { accountId, client, grantId, gty: 'authorization_code', scope: 'openid email' }
  }

  /** Everything that a client may ask of the fast path; `with` goes into each form. */
  async function requests(
    client: Client,
    authorization: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Readonly<Record<string, readonly [Shot, Shot]>>> {
    const mint = async () =>
      Promise.all([
        new provider.AccessToken(await facts(client)).save(),
        new provider.RefreshToken(await facts(client)).save(),
        new provider.AuthorizationCode({
          ...(await facts(client)),
          redirectUri: REDIRECT_URI,
          codeChallenge: CHALLENGE,
          codeChallengeMethod: 'S256',
        }).save(),
      ])
    const [[token, refresh, code], [, otherRefresh, otherCode]] = await Promise.all([
      mint(),
      mint(),
    ])
    const post = (path: string, form: Readonly<Record<string, string>>): Shot =>
      formShot(path, authorization, { ...form, ...more })
    const refreshing = (value: string) =>
      post('/token', { grant_type: 'refresh_token', refresh_token: value })
    const redeeming = (value: string) =>
      post('/token', {
        grant_type: 'authorization_code',
        code: value,
        redirect_uri: REDIRECT_URI,
        code_verifier: VERIFIER,
      })
    return {
      userinfo: twice({
        method: 'GET',
        path: '/userinfo',
        headers: { authorization: `Bearer ${token}` },
      }),
      introspection: twice(post('/token/introspection', { token })),
      service: twice(post('/token', { grant_type: 'client_credentials', resource: api })),
      refresh: [refreshing(refresh), refreshing(otherRefresh)],
      code: [redeeming(code), redeeming(otherCode)],
    }
  }

  /** The client, if the engine can read what is stored. */
  async function clientWith(metadata: Metadata) {
    const made = await storeOddClient(server, 'it has metadata that no registration makes', {
      metadata: { ...APP, ...metadata },
    })
    const client = await provider.Client.find(made.clientId).catch(() => undefined)
    return { client, authorization: basic(made).authorization }
  }

  it('serves the plainest of each kind, and what is asked for pages only', async () => {
    for (const metadata of [{}, { logo_uri: 'https://client.example/x' }, { allowed_scopes: [] }]) {
      const { client, authorization } = await clientWith(metadata)
      if (!client) throw new Error('the client is not registered')
      for (const [kind, shots] of Object.entries(await requests(client, authorization))) {
        const { fast, engine, isServed } = await bothWays(shots)
        expect([kind, isServed, fast.status]).toEqual([kind, true, 200])
        expect(fast).toEqual(engine)
      }
    }
  })

  it('knows every client that the product registers, each a service or app of its own', async () => {
    const redirectUris = [REDIRECT_URI]
    for (const wanted of [
      { name: 'Web', type: 'web', redirectUris, tosUri: 'https://client.example/x' },
      { name: 'Mine', type: 'web', redirectUris, isFirstParty: true, requireMfa: true },
      { name: 'Never', type: 'web', redirectUris, refreshRotation: 'never' },
      { name: 'Machine', type: 'service', resources: [api] },
      { name: 'Phone', type: 'native', redirectUris: ['org.example.app:/callback'] },
    ] as const) {
      const { client } = await server.context.clients.create(wanted as never)
      const stored = await server.context.directory.adapter.find(client.id)
      const made = await provider.Client.find(client.id)
      expect([wanted.name, isKnownClient({ ...stored })]).toEqual([wanted.name, true])
      expect([wanted.name, isKnownClient({ ...made?.metadata() })]).toEqual([wanted.name, true])
    }
  })

  it.each<NewClient>([
    { pkce: 'or_nonce' },
    { pkce: 'optional' },
    { authMethod: 'client_secret_post' },
    { accessTokenSeconds: 120 },
    { accessTokenSeconds: 7200, refreshIdleSeconds: 3600 },
    { idTokenClaims: 'scope' },
    { idTokenClaims: 'scope', atHash: true, idTokenAlg: 'RS256' },
    { atHash: true, idTokenAlg: 'ES256' },
    { introspectionAlg: 'ES256' },
    { requireAcr: 'phr', defaultAcrValues: ['phr', '2fa'] },
    { signInMethods: ['passkey'], providers: [] },
    { atHash: true, idTokenAlg: 'PS256' },
    { atHash: true, idTokenAlg: 'EdDSA' },
  ])('T1 answer alike whatever the switches of a client are: %j', async (input) => {
    const grantTypes: NewClient['grantTypes'] = [
      'authorization_code',
      'refresh_token',
      'client_credentials',
    ]
    const made = await createClient(server, { ...input, grantTypes, resources: [api] })
    const client = await provider.Client.find(made.clientId)
    if (!client) throw new Error('the client is not registered')
    const shots = await requests(client, basic(made).authorization)
    for (const [kind, pair] of Object.entries(shots)) {
      const { fast, engine, isServed } = await bothWays(pair)
      expect([kind, isServed, fast.status]).toEqual([kind, true, 200])
      expect(fast).toEqual(engine)
      const says = fast.tokens.filter(Array.isArray).map(([, names]) => names as string[])
      if (kind === 'code' || kind === 'refresh')
        expect(says.map((names) => [names.includes('email'), names.includes('at_hash')])).toEqual([
          [input.idTokenClaims === 'scope', input.atHash === true],
        ])
    }
  })

  it.each(MEMBERS)('T1 T2 answer alike whatever `%s` of a client is', async (name) => {
    let served = 0
    for (const value of VALUES) {
      // The engine would fetch it.
      if (name === 'sector_identifier_uri' && typeof value === 'string') continue
      const metadata = { [name]: value }
      const { client, authorization } = await clientWith(metadata)
      if (!client) continue
      const stored = await server.context.directory.adapter.find(client.clientId)
      const isKnown = isKnownClient({ ...stored })
      for (const [kind, shots] of Object.entries(await requests(client, authorization))) {
        const { fast, engine, isServed } = await bothWays(shots)
        expect({ metadata, kind, ...fast }).toEqual({ metadata, kind, ...engine })
        if (isServed) served++
        expect([metadata, kind, isServed && !isKnown]).toEqual([metadata, kind, false])
      }
    }
    // A member that no value of makes known is never served.
    if (!VALUES.some((value) => isKnownClient({ [name]: value }))) expect(served).toBe(0)
  })

  it('serves hundreds of these variants', () => {
    const known = VARIANTS.filter((metadata) => isKnownClient({ ...APP, ...metadata }))
    expect([known.length > 100, MEMBERS.length > 50]).toEqual([true, true])
    expect(isKnownClient({ ...APP, dpop_bound_access_tokens: false })).toBe(false)
    expect(isKnownClient({ ...APP, subject_type: 'pairwise' })).toBe(false)
  })

  it('answer alike whatever parameter comes with a request, and the engine any that is new', async () => {
    const { client, authorization } = await clientWith({})
    if (!client) throw new Error('the client is not registered')
    const names = [...PARAMETERS, ...OTHER_PARAMETERS]
    for (const name of names)
      for (const value of ['openid', REDIRECT_URI]) {
        const shots = await requests(client, authorization, { [name]: value })
        for (const [kind, pair] of Object.entries(shots)) {
          const { fast, engine, isServed } = await bothWays(pair)
          expect({ kind, name, value, ...fast }).toEqual({ kind, name, value, ...engine })
          const isOwn = kind === 'userinfo' || OWN[kind]?.includes(name)
          expect({ kind, name, isServed: isServed && !isOwn }).toEqual({
            kind,
            name,
            isServed: false,
          })
        }
      }
  })

  it.each([
    ['*/*', true],
    ['application/json', true],
    ['application/json, text/plain, */*', true],
    ['application/json;q=0.9, */*;q=0.1', true],
    ['text/html', false],
    ['application/token-introspection+jwt', false],
    ['application/json, application/token-introspection+jwt', false],
    ['application/token-introspection+jwt, */*', false],
    ['', false],
  ])('T3 what is asked for as `%s` is served: %s', async (accept, isExpected) => {
    const { client, authorization } = await clientWith({})
    if (!client) throw new Error('the client is not registered')
    const { introspection, userinfo } = await requests(client, authorization)
    for (const [shot] of [introspection, userinfo].filter((each) => each !== undefined)) {
      const asked = { ...shot, headers: { ...shot.headers, accept } }
      const { fast, engine, isServed } = await bothWays([asked, asked])
      expect(fast).toEqual(engine)
      expect(isServed).toBe(isExpected)
    }
  })

  it('T1 the table names every feature of the engine, as it really is', async () => {
    const settingsOf =
      await engineModule<(provider: Provider) => { configuration: Settings }>('helpers/weak_cache')
    const { features } = settingsOf(provider).configuration
    expect(
      Object.fromEntries(Object.entries(features).map(([name, { enabled }]) => [name, enabled])),
    ).toEqual(FEATURES)
  })
})

interface Settings {
  readonly features: Readonly<Record<string, { readonly enabled: boolean }>>
}

const OTHER_PARAMETERS = [
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'assertion',
  'audience',
  'claims',
  'authorization_details',
  'dpop_jkt',
  'token_type_hint',
  'unheard_of',
  'actor',
]

/** What the fast path takes of each form. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  introspection: ['token_type_hint'],
  service: ['scope', 'resource'],
  refresh: [],
  code: ['redirect_uri'],
}
