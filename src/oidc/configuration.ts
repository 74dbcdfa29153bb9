import type { AdapterFactory, Configuration, JWKS } from 'oidc-provider'
import { ACR_VALUES } from '../accounts/factors/levels.ts'
import type { SignInPolicy } from '../accounts/factors/sign-in-policy.ts'
import { OIDC_SCOPES } from '../clients/scopes.ts'
import type { Config } from '../config/config.ts'
import { bindingCookies, cookieName } from '../config/cookie-names.ts'
import type { CookieKeys } from '../crypto/cookie-keys.ts'
import { PROMPTS } from './authorization/prompts.ts'
import { askedAt, finishReading } from './authorization/requests.ts'
import type { GroupClaims } from './claims/group-claims.ts'
import { type FindsProvider, sayingIdp } from './claims/idp.ts'
import { CLAIMS_BY_SCOPE } from './claims/registry.ts'
import { readClaimsParameter } from './claims/request.ts'
import { groupsInJwt } from './claims/token-groups.ts'
import { builtInClients } from './clients/built-in-clients.ts'
import { assertingSince, CLOCK_TOLERANCE } from './clients/client-assertion.ts'
import { OUR_METADATA } from './clients/client-metadata.ts'
import type { ClientDirectory } from './clients/directory.ts'
import type { ResourceServers } from './clients/resource-servers.ts'
import { ENDPOINTS } from './endpoints.ts'
import { featuresWith } from './features.ts'
import type { FindAccount } from './find-account.ts'
import type { ConsentStore } from './grants.ts'
import { createInteractionPolicy, type TermsAcceptances } from './interaction-policy.ts'
import { introspectionPolicy } from './introspection.ts'
import { EXTERNAL_SIGNING } from './keys/external-key.ts'
import type { LevelDeps } from './level-checks.ts'
import type { ProviderPages } from './pages.ts'
import { demandsChallenge } from './pkce.ts'
import { resourceIndicators } from './resource-indicators.ts'
import { sessionOf } from './standing.ts'
import {
  isRegisteredOrigin,
  issuesRefreshToken,
  mayRevoke,
  rotatesRefreshTokens,
} from './token-policy.ts'
import { authenticationOf } from './tokens/authentication.ts'
import { claimsOfJwt, typedAsRegistered } from './tokens/jwt-shape.ts'
import { lifetimes } from './tokens/lifetimes.ts'
import type { TokenBindings } from './tokens/token-bindings.ts'
import { bitsOfOpaqueRandomness } from './tokens/token-lengths.ts'

export interface ConfigurationDeps {
  readonly config: Config
  readonly cookieKeys: CookieKeys
  readonly adapter: AdapterFactory
  readonly jwks: JWKS
  readonly findAccount: FindAccount
  readonly sessionProviders: FindsProvider
  readonly consents: ConsentStore
  readonly signInPolicy: SignInPolicy
  readonly trustedDevices: LevelDeps['trustedDevices']
  readonly sessions: LevelDeps['sessions']
  readonly acceptances: TermsAcceptances
  readonly loadExistingGrant: NonNullable<Configuration['loadExistingGrant']>
  readonly resources: ResourceServers
  readonly groupClaims: GroupClaims
  readonly pages: ProviderPages
  readonly locales: readonly string[]
  readonly fetch: NonNullable<Configuration['fetch']>
  readonly directory: Pick<ClientDirectory, 'isSinceRestore' | 'findResource'>
  readonly bindings: TokenBindings
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
  const { config, resources, pages, bindings } = deps
  const ofJwt = claimsOfJwt({ issuer: config.issuer, bindings })
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
    pkce: {
      required: (ctx, client) => demandsChallenge(client, askedAt(ctx)),
    },
    enabledJWA: {
      clientAuthSigningAlgValues: [...ASYMMETRIC, 'Ed25519'],
      idTokenSigningAlgValues: [...ASYMMETRIC],
      introspectionSigningAlgValues: [...ASYMMETRIC],
    },
    clockTolerance: CLOCK_TOLERANCE,
    acceptQueryParamAccessTokens: false,
    formats: { bitsOfOpaqueRandomness, customizers: { jwt: typedAsRegistered } },
    allowOmittingSingleRegisteredRedirectUri: false,
    extraParams: { audience: finishReading },
    discovery: {
      ui_locales_supported: [...deps.locales],
      claims_locales_supported: undefined,
      prompt_values_supported: [...PROMPTS],
      // Groups that are too many for a token are at userinfo (OIDC Core 5.6.2).
      claim_types_supported: ['normal', 'distributed'],
    },
    features: featuresWith({
      claimsParameter: { assertClaimsParameter: readClaimsParameter },
      externalSigningSupport: EXTERNAL_SIGNING,
      introspection: {
        allowedPolicy: introspectionPolicy(deps),
      },
      revocation: { allowedPolicy: mayRevoke },
      rpInitiatedLogout: {
        logoutSource: pages.confirmLogout,
        postLogoutSuccessSource: pages.loggedOut,
      },
      resourceIndicators: resourceIndicators(resources),
    }),
    interactions: {
      policy: createInteractionPolicy({ ...deps, lifetimes: config.lifetimes }),
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
    },
    findAccount: async (_ctx, sub, token) =>
      sayingIdp(await deps.findAccount(sub, sessionOf(token)), token, deps.sessionProviders),
    loadExistingGrant: deps.loadExistingGrant,
    expiresWithSession: (_ctx, token) => !token.scopes.has('offline_access'),
    issueRefreshToken: (_ctx, client, code) => issuesRefreshToken(client, code),
    rotateRefreshToken: ({ oidc }) =>
      oidc.client !== undefined && rotatesRefreshTokens(oidc.client),
    clientBasedCORS: (ctx, origin, client) =>
      isRegisteredOrigin(ctx, origin, client.redirectUris ?? []),
    extraTokenClaims: async (ctx, token) => {
      const ours = ofJwt(token)
      const inJwt = ours && {
        ...(await groupsInJwt({ claims: deps.groupClaims, resources }, ctx, token)),
        ...ours,
      }
      const said = { ...authenticationOf(ctx, token), ...inJwt }
      return Object.keys(said).length > 0 ? said : undefined
    },
    assertJwtClientAuthClaimsAndHeader: assertingSince(deps.directory),
    renderError: pages.error,
    fetch: deps.fetch,
    enableHttpPostMethods: false,
  }
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
