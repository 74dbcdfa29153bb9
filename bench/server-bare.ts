import { generateKeyPairSync } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AdapterFactory, type Configuration, Provider } from 'oidc-provider'
import { MapAdapter } from './map-adapter.ts'
import { mintFor, REDIRECT_URI, RESOURCE, SCOPE } from './minting.ts'
import { naiveAdapters } from './naive-adapter.ts'
import type { Served } from './server.ts'
import { PATHS } from './target.ts'

const ACCOUNT = 'ada'
const CLIENT = { id: 'bench', secret: 'a secret of the bench that is long enough' }

/**
 * oidc-provider of our version alone, with the same algorithms and policies: on a Map, or on Redis
 * by the usual adapter.
 */
export async function bareServer(issuer: string, redisUrl?: string): Promise<Served> {
  const adapter = redisUrl ? naiveAdapters(redisUrl) : (model: string) => new MapAdapter(model)
  const provider = quietly(() => new Provider(issuer, configuration(adapter)))
  const handle = provider.callback()
  return {
    handle: (req, res) =>
      req.url?.startsWith('/interaction/') ? signIn(provider, req, res) : handle(req, res),
    facts: { people: [], password: '', resource: RESOURCE, paths: PATHS, apiClient: CLIENT },
    mint: (what) => mintFor(provider, { accountId: ACCOUNT, clientId: CLIENT.id }, what),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

async function signIn(
  provider: Provider,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const grant = new provider.Grant({ accountId: ACCOUNT, clientId: CLIENT.id })
  grant.addOIDCScope(SCOPE)
  await provider.interactionFinished(req, res, {
    login: { accountId: ACCOUNT },
    consent: { grantId: await grant.save() },
  })
}

function configuration(adapter: AdapterFactory): Configuration {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    adapter,
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
    jwks: {
      keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'bench' }],
    },
    cookies: { keys: ['a key of the bench'] },
    routes: { userinfo: '/userinfo' },
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    scopes: ['openid', 'email', 'offline_access'],
    conformIdTokenClaims: true,
    rotateRefreshToken: true,
    issueRefreshToken: () => true,
    expiresWithSession: () => false,
    findAccount: (_ctx, sub) => ({
      accountId: sub,
      claims: () => ({ sub, email: 'ada@example.org', email_verified: true }),
    }),
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, _client, oneOf) => oneOf?.[0] ?? [],
        useGrantedResource: () => true,
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
