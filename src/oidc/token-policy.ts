import { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider'

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

export function mayRevoke(
  _ctx: KoaContextWithOIDC,
  client: { clientId: string },
  token: { clientId?: string },
): boolean {
  if (token.clientId === client.clientId) return true
  throw new errors.InvalidRequest('client is not authorized to revoke the presented token')
}

/**
 * SE-14: exactly the origin of one of the client's redirect URIs; never `null`, never on
 * cookie-bearing endpoints.
 */
export function isRegisteredOrigin(
  _ctx: KoaContextWithOIDC,
  origin: string,
  redirectUris: readonly string[],
): boolean {
  return origin !== 'null' && redirectUris.some((uri) => URL.parse(uri)?.origin === origin)
}
