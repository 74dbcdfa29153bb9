import { secondsSinceArrival } from '../arrival.ts'
import type { AdapterPayload, PastUse } from './adapter.ts'

export interface Consumption {
  /** Absent from pushed requests: they are no grant, so their second use ends none and needs no leeway. */
  readonly clientId: string | undefined
  readonly secondsAgo: number
}

/**
 * Whether `find` keeps quiet about a consumption: it is counted from when the second request was
 * there, not from when it is judged.
 */
export function isForgiven(
  { clientId, secondsAgo }: Consumption,
  leewaySeconds: (clientId: string) => number,
): boolean {
  const leeway = clientId === undefined ? 0 : leewaySeconds(clientId)
  return leeway > 0 && secondsAgo < leeway + secondsSinceArrival()
}

/**
 * A refresh token whose record is gone and whose use is remembered: consumed, so that the library
 * ends its family if that is still alive.
 */
export async function fromUse(
  id: string,
  { secondsAgo, consumedAt, clientId, grantId, sessionUid }: PastUse,
  grants: { find(id: string): Promise<AdapterPayload | undefined> },
  leewaySeconds: (clientId: string) => number,
): Promise<AdapterPayload | undefined> {
  const grant = await grants.find(grantId)
  if (
    grant?.clientId !== clientId ||
    !grant.accountId ||
    isForgiven({ clientId, secondsAgo }, leewaySeconds)
  )
    return undefined
  const consumed = Math.floor(consumedAt)
  return {
    clientId,
    grantId,
    sessionUid,
    kind: 'RefreshToken',
    jti: id,
    accountId: grant.accountId,
    consumed,
  }
}

/**
 * What the losers of `consume` get. The provider's errors are loaded where one is thrown: a command
 * that opens a store has no authorization server.
 */
export async function alreadyConsumed(model: string): Promise<Error> {
  return (await import('./refused-uses.ts')).consumedError(model)
}

export async function replayed(): Promise<Error> {
  return (await import('./refused-uses.ts')).replayedError()
}
