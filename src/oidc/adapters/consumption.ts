import { errors } from 'oidc-provider'
import type { AdapterPayload, PastUse } from './adapter.ts'

export interface Consumption {
  /** Absent from pushed requests: they are no grant, so their second use ends none and needs no leeway. */
  readonly clientId: string | undefined
  readonly secondsAgo: number
}

/** Whether `find` keeps quiet about a consumption, so that a double submit fails without ending the winner's family. */
export function isForgiven({ clientId, secondsAgo }: Consumption, leewaySeconds: (clientId: string) => number): boolean {
  return clientId !== undefined && secondsAgo < leewaySeconds(clientId)
}

/** A refresh token of which only its use is left, as the library has to see it to end its family, if that still lives. */
export async function fromUse(
  id: string,
  { secondsAgo, consumedAt, ...spent }: PastUse,
  grants: { find(id: string): Promise<AdapterPayload | undefined> },
  leewaySeconds: (clientId: string) => number,
): Promise<AdapterPayload | undefined> {
  const { clientId, grantId } = spent
  const grant = await grants.find(grantId)
  if (grant?.clientId !== clientId || !grant.accountId || isForgiven({ clientId, secondsAgo }, leewaySeconds)) return undefined
  return { ...spent, kind: 'RefreshToken', jti: id, accountId: grant.accountId, consumed: Math.floor(consumedAt) }
}

/** What the losers of `consume` get. */
export function alreadyConsumed(model: string): Error {
  if (model === 'PushedAuthorizationRequest') return new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used')
  return new errors.InvalidGrant('already consumed, expired or revoked')
}

/** What the loser of two concurrent uses of one assertion gets; the library itself answers so when the second comes later. */
export function replayed(): Error {
  return new errors.InvalidClientAuth('client assertion tokens must only be used once')
}
