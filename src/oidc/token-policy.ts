import { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider'
import { settingsOf } from './clients/settings.ts'

export function issuesRefreshToken(
  client: Client,
  { scopes }: { readonly scopes: ReadonlySet<string> },
): boolean {
  return (
    client.grantTypeAllowed('refresh_token') &&
    (scopes.has('offline_access') || settingsOf(client).first_party === true)
  )
}

export function rotatesRefreshTokens(client: Client): boolean {
  return settingsOf(client).refresh_rotation !== 'never'
}

/** A service has nothing but its APIs; the one of a service that has one goes without saying. */
export function onlyApi(client: { readonly [member: string]: unknown }): string | undefined {
  const { allowed_resources: apis } = settingsOf(client)
  return apis?.length === 1 ? apis[0] : undefined
}

/** What a service gets of an API if it names no scope: of the operator's defaults, those of the API. */
export function defaultsAt(client: object, offered: readonly string[]): readonly string[] {
  const { default_scopes: defaults = [] } = settingsOf(client)
  return defaults.filter((scope) => offered.includes(scope))
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
 * SE-14: exactly the origin of one of the client's redirect URIs; never `null`, never where a
 * cookie is read.
 */
export function isRegisteredOrigin(
  _ctx: KoaContextWithOIDC,
  origin: string,
  redirectUris: readonly string[],
): boolean {
  return origin !== 'null' && redirectUris.some((uri) => URL.parse(uri)?.origin === origin)
}
