import { errors } from 'oidc-provider'

export class AlreadyConsumed extends errors.InvalidGrant {}

/** What the losers of `consume` get. */
export function consumedError(model: string): Error {
  if (model === 'PushedAuthorizationRequest')
    return new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used')
  return new AlreadyConsumed('already consumed, expired or revoked')
}

/**
 * What the loser of two concurrent uses of one assertion gets; the library itself answers so when
 * the second comes later.
 */
export function replayedError(): Error {
  return new errors.InvalidClientAuth('client assertion tokens must only be used once')
}
