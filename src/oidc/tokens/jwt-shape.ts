import type { AccessToken, ClientCredentials, Configuration } from 'oidc-provider'
import { apiResource } from '../clients/built-in-clients.ts'
import type { ApiServer } from '../clients/resource-servers.ts'
import { sessionOf } from '../standing.ts'
import { BINDING, type TokenBindings } from './token-bindings.ts'

type JwtCustomizer = NonNullable<
  NonNullable<NonNullable<Configuration['formats']>['customizers']>['jwt']
>

/**
 * What a JWT for an API has besides what RFC 9068 asks for: of our own API the session in clear, of
 * a person's at another what it hangs on, sealed, if it may come back to us.
 */
export function claimsOfJwt({
  issuer,
  bindings,
}: {
  readonly issuer: string
  readonly bindings: TokenBindings
}) {
  return (token: AccessToken | ClientCredentials): Record<string, string> | undefined => {
    const { aud, grantId, jti, sessionUid, resourceServer } = token as Partial<AccessToken>
    if (aud === undefined || grantId === undefined || jti === undefined) return undefined
    if (aud === apiResource(issuer)) return sessionUid ? { sid: sessionUid } : undefined
    if (!(resourceServer as ApiServer | undefined)?.jwt.comesBack) return {}
    return { [BINDING]: bindings.seal(jti, { grantId, sessionUid: sessionOf(token) }) }
  }
}

/** `typ` as the API is registered. */
export const typedAsRegistered: JwtCustomizer = (_ctx, { resourceServer }, parts) => {
  const { typ } = (resourceServer as ApiServer | undefined)?.jwt ?? {}
  if (typ !== undefined && typ !== 'at+jwt') parts.header = { ...parts.header, typ }
}
