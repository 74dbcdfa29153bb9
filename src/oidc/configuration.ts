import {
  type AdapterFactory,
  type Client,
  type Configuration,
  errors,
  type JWKS,
  type KoaContextWithOIDC,
  type ResourceServer,
} from 'oidc-provider'
import { ACR_VALUES } from '../accounts/factors/levels.ts'
import { isOidcScope, OIDC_SCOPES } from '../clients/scopes.ts'
import type { Config } from '../config/config.ts'
import { bindingCookies, cookieName } from '../config/cookie-names.ts'
import type { CookieKeys } from '../crypto/cookie-keys.ts'
import { CLAIMS_BY_SCOPE } from './claims/registry.ts'
import { apiResource, builtInClients } from './clients/built-in-clients.ts'
import { assertingSince, CLOCK_TOLERANCE } from './clients/client-assertion.ts'
import { OUR_METADATA } from './clients/client-metadata.ts'
import type { ClientDirectory } from './clients/directory.ts'
import type { ResourceServers } from './clients/resource-servers.ts'
import { ENDPOINTS } from './endpoints.ts'
import type { FindAccount } from './find-account.ts'
import { createInteractionPolicy } from './interaction-policy.ts'
import { EXTERNAL_SIGNING } from './keys/external-key.ts'
import type { ProviderPages } from './pages.ts'
import { param } from './param.ts'
import { sessionOf } from './standing.ts'
import { lifetimes } from './tokens/lifetimes.ts'
import { bitsOfOpaqueRandomness } from './tokens/token-lengths.ts'

export interface ConfigurationDeps {
  readonly config: Config
  readonly cookieKeys: CookieKeys
  readonly adapter: AdapterFactory
  readonly jwks: JWKS
  readonly findAccount: FindAccount
  readonly loadExistingGrant: NonNullable<Configuration['loadExistingGrant']>
  readonly resources: ResourceServers
  readonly pages: ProviderPages
  readonly locales: readonly string[]
  readonly fetch: NonNullable<Configuration['fetch']>
  readonly directory: Pick<ClientDirectory, 'isSinceRestore'>
}

const ASYMMETRIC = ['ES256', 'RS256', 'PS256', 'EdDSA'] as const

/** Cookies carry the `__Host-`/`__Secure-` prefixes where browsers enforce them: on https (SE-03). */
export function cookieNames(issuer: string): {
  session: string
  interaction: string
  resume: string
} {
  const isHttps = issuer.startsWith('https:')
  return {
    session: cookieName('session', { isHttps }),
    ...bindingCookies({ isHttps }),
  }
}

/**
 * oidc-provider's configuration. Every default that prints a notice is decided here; a silent boot
 * is tested.
 */
export function createConfiguration(deps: ConfigurationDeps): Configuration {
  const { config, resources, pages } = deps
  const cookie = {
    httpOnly: true,
    sameSite: 'lax',
    signed: true,
    secure: config.issuer.startsWith('https:'),
  } as const
  return {
    adapter: deps.adapter,
    clients: builtInClients(config.issuer, config.brand.name),
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
      token_endpoint_auth_method: 'client_secret_basic',
    },
    // In the order of discovery, whose first many libraries take.
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    extraClientMetadata: { properties: [...OUR_METADATA] },
    jwks: deps.jwks,
    cookies: {
      names: cookieNames(config.issuer),
      keys: deps.cookieKeys,
      long: { ...cookie, path: '/' },
      short: cookie,
    },
    ttl: lifetimes(config),
    routes: routes(),
    responseTypes: ['code'],
    scopes: [...OIDC_SCOPES],
    claims: CLAIMS_BY_SCOPE,
    acrValues: [...ACR_VALUES],
    conformIdTokenClaims: true,
    subjectTypes: ['public'],
    pkce: { required: () => true },
    enabledJWA: {
      clientAuthSigningAlgValues: [...ASYMMETRIC, 'Ed25519'],
      idTokenSigningAlgValues: [...ASYMMETRIC],
    },
    clockTolerance: CLOCK_TOLERANCE,
    acceptQueryParamAccessTokens: false,
    formats: { bitsOfOpaqueRandomness },
    allowOmittingSingleRegisteredRedirectUri: false,
    discovery: {
      ui_locales_supported: [...deps.locales],
      claims_locales_supported: undefined,
      prompt_values_supported: ['none', 'login', 'consent', 'select_account', 'create'],
    },
    features: {
      devInteractions: { enabled: false },
      externalSigningSupport: EXTERNAL_SIGNING,
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      claimsParameter: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => mayIntrospect(client, token),
      },
      revocation: { enabled: true, allowedPolicy: mayRevoke },
      userinfo: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: pages.confirmLogout,
        postLogoutSuccessSource: pages.loggedOut,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, client, oneOf) =>
          oneOf?.[0] ?? (isService(ctx) ? onlyApi(client) : undefined) ?? [],
        useGrantedResource: (ctx) => !isForUserinfo(ctx),
        getResourceServerInfo: async (ctx, indicator, client) =>
          knowingAllScopes(ctx, await resources.info(indicator, client)),
      },
    },
    interactions: {
      policy: createInteractionPolicy(config),
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
    },
    findAccount: (_ctx, sub, token) => deps.findAccount(sub, sessionOf(token)),
    loadExistingGrant: deps.loadExistingGrant,
    expiresWithSession: (_ctx, token) => !token.scopes.has('offline_access'),
    issueRefreshToken: (_ctx, client, code) => issuesRefreshToken(client, code),
    rotateRefreshToken: ({ oidc }) =>
      oidc.client !== undefined && rotatesRefreshTokens(oidc.client),
    clientBasedCORS: (ctx, origin, client) =>
      isRegisteredOrigin(ctx, origin, client.redirectUris ?? []),
    extraTokenClaims: (_ctx, token) => {
      const { aud, sessionUid } = token as { aud?: unknown; sessionUid?: string }
      return aud === apiResource(config.issuer) && sessionUid ? { sid: sessionUid } : undefined
    },
    assertJwtClientAuthClaimsAndHeader: assertingSince(deps.directory),
    renderError: pages.error,
    fetch: deps.fetch,
    enableHttpPostMethods: false,
  } as Configuration
}

function routes(): Configuration['routes'] {
  const { authorization, token, introspection, revocation, userinfo, jwks, endSession } = ENDPOINTS
  return {
    authorization: authorization.path,
    token: token.path,
    introspection: introspection.path,
    revocation: revocation.path,
    userinfo: userinfo.path,
    jwks: jwks.path,
    end_session: endSession.path,
  }
}

/**
 * A service asks for one API at a time: a scope that is not the API's is an error, not a thing to
 * leave out (RFC 6749 5.2).
 */
function knowingAllScopes(ctx: KoaContextWithOIDC, server: ResourceServer): ResourceServer {
  const offered = server.scope.split(' ')
  const unknown = param(ctx.oidc.params, 'scope')
    .split(' ')
    .find((name) => name !== '' && !offered.includes(name))
  if (unknown !== undefined && isService(ctx))
    throw new errors.InvalidScope(
      'the API does not have this scope, or the client may not use it',
      unknown,
    )
  return server
}

export function issuesRefreshToken(
  client: Client,
  { scopes }: { readonly scopes: ReadonlySet<string> },
): boolean {
  return (
    client.grantTypeAllowed('refresh_token') &&
    (scopes.has('offline_access') || client['first_party'] === true)
  )
}

export function rotatesRefreshTokens(client: Client): boolean {
  return client['refresh_rotation'] !== 'never'
}

/** A service has nothing but its APIs; the one of a service that has one goes without saying. */
export function onlyApi(client: { readonly [member: string]: unknown }): string | undefined {
  const apis = client['allowed_resources']
  return Array.isArray(apis) && apis.length === 1 ? String(apis[0]) : undefined
}

function isService({ oidc }: KoaContextWithOIDC): boolean {
  return param(oidc.params, 'grant_type') === 'client_credentials'
}

/**
 * A token is for the API that was granted, unless a refresh names scopes of the person only: then
 * it is for userinfo.
 */
function isForUserinfo({ oidc }: KoaContextWithOIDC): boolean {
  const names = param(oidc.params, 'scope').split(' ')
  return names.includes('openid') && names.every((name) => isOidcScope(name))
}

/**
 * SE-14: exactly the origin of one of the client's redirect URIs; never `null`, never on
 * cookie-bearing endpoints.
 */
function isRegisteredOrigin(
  _ctx: KoaContextWithOIDC,
  origin: string,
  redirectUris: readonly string[],
): boolean {
  return origin !== 'null' && redirectUris.some((uri) => URL.parse(uri)?.origin === origin)
}

/** TK-09: a caller sees its own tokens, and a resource server those for its audience. */
export function mayIntrospect(
  client: { clientId: string; [key: string]: unknown },
  token: { clientId?: string | undefined; aud?: unknown },
): boolean {
  if (token.clientId === client.clientId) return true
  const served = client['allowed_resources']
  return (
    typeof token.aud === 'string' &&
    Array.isArray(served) &&
    client['tokenEndpointAuthMethod'] !== 'none' &&
    served.includes(token.aud)
  )
}

function mayRevoke(
  _ctx: KoaContextWithOIDC,
  client: { clientId: string },
  token: { clientId?: string },
): boolean {
  if (token.clientId === client.clientId) return true
  throw new errors.InvalidRequest('client is not authorized to revoke the presented token')
}
