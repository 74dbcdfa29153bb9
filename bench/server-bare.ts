import { generateKeyPairSync } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Adapter, type AdapterPayload, type Configuration, Provider } from 'oidc-provider'
import { mintFor, REDIRECT_URI, SCOPE } from './minting.ts'
import type { Served } from './server.ts'

const ACCOUNT = 'ada'
const CLIENT = { id: 'bench', secret: 'a secret of the bench that is long enough' }
const RESOURCE = 'https://api.example/'

/** oidc-provider of our version alone, on a plain Map (its own memory adapter is a small LRU), with the same algorithms and policies. */
export async function bareServer(issuer: string): Promise<Served> {
  const provider = quietly(() => new Provider(issuer, configuration()))
  const handle = provider.callback()
  return {
    handle: (req, res) => (req.url?.startsWith('/interaction/') ? signIn(provider, req, res) : handle(req, res)),
    facts: { email: '', password: '', resource: RESOURCE, apiClient: CLIENT },
    mint: (what) => mintFor(provider, { accountId: ACCOUNT, clientId: CLIENT.id }, what),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

async function signIn(provider: Provider, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const grant = new provider.Grant({ accountId: ACCOUNT, clientId: CLIENT.id })
  grant.addOIDCScope(SCOPE)
  await provider.interactionFinished(req, res, { login: { accountId: ACCOUNT }, consent: { grantId: await grant.save() } })
}

function configuration(): Configuration {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    adapter: (model) => new MapAdapter(model),
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [REDIRECT_URI],
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
        response_types: ['code'],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'bench' }] },
    cookies: { keys: ['a key of the bench'] },
    routes: { userinfo: '/userinfo' },
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    scopes: ['openid', 'email', 'offline_access'],
    conformIdTokenClaims: true,
    rotateRefreshToken: true,
    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub, email: 'ada@example.org', email_verified: true }) }),
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, _client, oneOf) => oneOf?.[0] ?? [],
        useGrantedResource: () => false,
        getResourceServerInfo: () => ({
          scope: 'read',
          audience: RESOURCE,
          accessTokenTTL: 600,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  }
}

class MapAdapter implements Adapter {
  static readonly #stored = new Map<string, AdapterPayload>()
  readonly #model: string

  constructor(model: string) {
    this.#model = model
  }

  async upsert(id: string, payload: AdapterPayload): Promise<void> {
    MapAdapter.#stored.set(`${this.#model}:${id}`, payload)
    if (payload.uid) MapAdapter.#stored.set(`uid:${payload.uid}`, payload)
  }
  async find(id: string): Promise<AdapterPayload | undefined> {
    return MapAdapter.#stored.get(`${this.#model}:${id}`)
  }
  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return MapAdapter.#stored.get(`uid:${uid}`)
  }
  async findByUserCode(): Promise<undefined> {
    return undefined
  }
  async consume(id: string): Promise<void> {
    const payload = MapAdapter.#stored.get(`${this.#model}:${id}`)
    if (payload) MapAdapter.#stored.set(`${this.#model}:${id}`, { ...payload, consumed: Math.floor(Date.now() / 1000) })
  }
  async destroy(id: string): Promise<void> {
    MapAdapter.#stored.delete(`${this.#model}:${id}`)
  }
  async revokeByGrantId(): Promise<void> {
    throw new Error('nothing is revoked here')
  }
}

/** It speaks of its defaults when it starts. */
function quietly<T>(work: () => T): T {
  const { info, warn } = console
  Object.assign(console, { info: () => undefined, warn: () => undefined })
  try {
    return work()
  } finally {
    Object.assign(console, { info, warn })
  }
}
