import { sha256 } from '../../crypto/token.ts'
import type { AdapterPayload } from './adapter.ts'

/** The answer to a refresh, sealed: a record of its own, found by the refresh token that was spent for it. */
export const ANSWER = 'RefreshAnswer'

/**
 * The key of an artifact: SHA-256 of model and id. No model name has a colon, so no id can reach
 * into another model (TK-12, TK-13). An answer has the digest of its refresh token: on a Cluster
 * both are in one slot.
 */
export function idDigest(model: string, id: string): Buffer {
  return sha256(`${model === ANSWER ? 'RefreshToken' : model}:${id}`)
}

/** The key of the second way to an artifact: a session's `uid`, a device code's user code. */
export function lookupDigest(model: string, value: string): Buffer {
  return sha256(`${model}.lookup:${value}`)
}

/** By what else an artifact is found, besides its id. */
export interface ArtifactIndex {
  readonly grantId: string | undefined
  readonly accountId: string | undefined
  readonly clientId: string | undefined
  readonly sessionUid: string | undefined
  readonly lookup: Buffer | undefined
}

/** Models that a grant's revocation takes along. */
const GRANTABLE = new Set([
  'AccessToken',
  'AuthorizationCode',
  'RefreshToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
  'PreAuthorizedCode',
])

export function indexOf(model: string, id: string, payload: AdapterPayload): ArtifactIndex {
  const { accountId, clientId, grantId, session, sessionUid, userCode, uid } = payload
  const none = { grantId: undefined, lookup: undefined }
  switch (model) {
    case 'Session':
      return {
        ...none,
        accountId,
        clientId: undefined,
        sessionUid: uid,
        lookup: uid === undefined ? undefined : lookupDigest(model, uid),
      }
    case 'Interaction':
      return {
        ...none,
        accountId: signingIn(payload) ?? session?.accountId,
        clientId: undefined,
        sessionUid: session?.uid,
      }
    case 'Grant':
      return { ...none, accountId, clientId, sessionUid: undefined, grantId: id }
    default:
      return {
        accountId,
        clientId,
        sessionUid,
        grantId: GRANTABLE.has(model) ? grantId : undefined,
        lookup: userCode === undefined ? undefined : lookupDigest(model, userCode),
      }
  }
}

/** The account that an interaction has just proven, before there is a session for it. */
function signingIn({ result, lastSubmission }: AdapterPayload): string | undefined {
  return result?.login?.accountId ?? lastSubmission?.login?.accountId
}
