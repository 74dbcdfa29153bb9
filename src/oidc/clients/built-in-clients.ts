import type { ClientMetadata } from 'oidc-provider'
import { ACCOUNT_SCOPE } from '../../clients/scopes.ts'

/**
 * The hosted account pages: they sign in through the same door as every app and rely on the session
 * it leaves.
 */
export const ACCOUNT_CLIENT_ID = 'gatehouse-account'
/** Tokens of `/api/auth/*` are this client's. */
export const API_CLIENT_ID = 'gatehouse-api'
export const API_SCOPE = ACCOUNT_SCOPE

/** These are in the code, not in the table of clients. */
export const isBuiltIn = (clientId: string): boolean =>
  clientId === ACCOUNT_CLIENT_ID || clientId === API_CLIENT_ID

export const accountCallback = (issuer: string): string => `${issuer}/account/callback`
export const apiResource = (issuer: string): string => `${issuer}/api/auth`

export function builtInClients(issuer: string, name: string): ClientMetadata[] {
  return [
    {
      client_id: ACCOUNT_CLIENT_ID,
      client_name: name,
      redirect_uris: [accountCallback(issuer)],
      post_logout_redirect_uris: [`${issuer}/`],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code'],
      scope: 'openid',
      first_party: true,
    },
    {
      client_id: API_CLIENT_ID,
      client_name: name,
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'none',
      grant_types: ['refresh_token'],
      first_party: true,
    },
  ]
}
