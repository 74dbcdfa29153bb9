import type { Registration } from '../clients/clients.ts'
import { registrationOf } from '../clients/metadata.ts'
import { ENDPOINTS } from '../oidc/endpoints.ts'

/** Where an app finds the server. */
export function endpointsOf(issuer: string) {
  const at = (path: string): string => new URL(path, issuer).href
  const { authorization, token, userinfo, jwks, openidConfiguration, endSession } = ENDPOINTS
  return {
    discovery: at(openidConfiguration.path),
    authorization: at(authorization.path),
    token: at(token.path),
    userinfo: at(userinfo.path),
    jwks: at(jwks.path),
    end_session: at(endSession.path),
  }
}

/** What an app has to know, by the names of an .env file. A service has no person to send anywhere. */
export function factsOf(issuer: string, { client, secret }: Registration) {
  const registration = registrationOf(client)
  const { redirectUris, authMethod, pkce, idTokenAlg, scopes } = registration
  const { discovery, ...endpoints } = endpointsOf(issuer)
  const own = {
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: client.id,
    OIDC_CLIENT_SECRET: secret,
    OIDC_REDIRECT_URI: redirectUris[0],
    OIDC_CLIENT_AUTH_METHOD: authMethod,
  }
  if (registration.type === 'service') return { ...own, OIDC_TOKEN_ENDPOINT: endpoints.token }
  return {
    ...own,
    OIDC_SCOPE: scopes.join(' '),
    OIDC_PKCE: pkce,
    OIDC_CODE_CHALLENGE_METHOD: 'S256',
    OIDC_ID_TOKEN_ALG: idTokenAlg,
    OIDC_DISCOVERY: discovery,
    OIDC_AUTHORIZATION_ENDPOINT: endpoints.authorization,
    OIDC_TOKEN_ENDPOINT: endpoints.token,
    OIDC_USERINFO_ENDPOINT: endpoints.userinfo,
    OIDC_JWKS_URI: endpoints.jwks,
    OIDC_END_SESSION_ENDPOINT: endpoints.end_session,
  }
}
