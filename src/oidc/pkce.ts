import { type AuthorizationCode, type Client, errors } from 'oidc-provider'
import { redirectKind } from '../clients/redirect-kind.ts'
import { settingsOf } from './clients/settings.ts'
import { param } from './param.ts'

type Params = Readonly<Record<string, unknown>>

/**
 * Whether a request without a `code_challenge` is refused (AZ-03, RFC 9700 2.1.1). Its absence is
 * forgiven only at an https address of an app that authenticates: elsewhere somebody else may answer.
 */
export function demandsChallenge(client: Client, params: Params | undefined): boolean {
  if (client.tokenEndpointAuthMethod === 'none') return true
  if (redirectKind(param(params, 'redirect_uri')) !== 'https') return true
  const { pkce } = settingsOf(client)
  if (pkce === 'optional') return false
  return pkce !== 'or_nonce' || !hasNonce(client, params)
}

export const UNTIED = 'the authorization request had no code_challenge, which is demanded'

/**
 * Refuses a code that was asked for without a challenge, unless that is forgiven now, and of what was
 * granted.
 */
export function assertTied(client: Client, code: AuthorizationCode): void {
  const { codeChallenge, redirectUri, scope, nonce } = code
  if (!codeChallenge && demandsChallenge(client, { redirect_uri: redirectUri, scope, nonce }))
    throw new errors.InvalidGrant(UNTIED)
}

/** It comes back in an ID token, so it protects nothing where there will be none. */
export function hasNonce(client: object, params: Params | undefined): boolean {
  const isOpenId = param(params, 'scope').split(' ').includes('openid')
  const { allowed_scopes: allowed } = settingsOf(client)
  return isOpenId && (allowed?.includes('openid') ?? true) && param(params, 'nonce') !== ''
}
