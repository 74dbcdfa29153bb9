import { randomToken } from '../../../src/crypto/token.ts'
import type { AdapterPayload } from '../../../src/oidc/adapters/adapter.ts'

/** Models whose second use is an attack or a double submit. */
export const GRANT_SOURCES = [
  'AuthorizationCode',
  'RefreshToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
  'PreAuthorizedCode',
] as const

/** Models that the library revokes with their grant. */
export const GRANTABLE = ['AccessToken', ...GRANT_SOURCES] as const

/** Every model that oidc-provider stores through an adapter, but for clients. */
export const MODELS = [
  ...GRANTABLE,
  'Session',
  'Interaction',
  'Grant',
  'ClientCredentials',
  'InitialAccessToken',
  'RegistrationAccessToken',
  'PushedAuthorizationRequest',
  'ReplayDetection',
] as const

export type Model = (typeof MODELS)[number]

export const HOUR = 3600
const now = (): number => Math.floor(Date.now() / 1000)

export interface Owner {
  readonly accountId: string
  readonly clientId: string
  readonly grantId: string
  readonly sessionUid: string
}

export function newOwner(): Owner {
  return {
    accountId: randomToken(128),
    clientId: 'app',
    grantId: randomToken(),
    sessionUid: randomToken(),
  }
}

/** A payload as the library would store it, under the id it would have drawn. */
export function sample(
  model: Model,
  owner: Owner = newOwner(),
  more: AdapterPayload = {},
): { id: string; payload: AdapterPayload } {
  const id = randomToken()
  const common = { jti: id, kind: model, iat: now(), exp: now() + HOUR }
  const { accountId, clientId, grantId, sessionUid } = owner
  const token = { ...common, accountId, clientId, grantId, sessionUid, scope: 'openid', ...more }
  switch (model) {
    case 'Session':
      return {
        id,
        payload: {
          ...common,
          accountId,
          uid: sessionUid,
          loginTs: now(),
          amr: ['pwd'],
          authorizations: { [clientId]: { sid: randomToken(), grantId } },
          ...more,
        },
      }
    case 'Interaction':
      return {
        id,
        payload: {
          ...common,
          returnTo: `https://id.example/auth/${id}`,
          prompt: { name: 'consent', reasons: ['consent_prompt'], details: {} },
          params: { client_id: clientId, state: 'abc', login_hint: 'user@example.com' },
          session: { accountId, uid: sessionUid },
          cid: randomToken(),
          ...more,
        },
      }
    case 'Grant':
      return {
        id: grantId,
        payload: {
          ...common,
          jti: grantId,
          accountId,
          clientId,
          openid: { scope: 'openid email' },
          ...more,
        },
      }
    case 'DeviceCode':
      return {
        id,
        payload: { ...token, userCode: randomToken(64), params: { client_id: clientId } },
      }
    case 'ReplayDetection':
      return { id, payload: { ...common, iss: clientId, ...more } }
    case 'PushedAuthorizationRequest':
      return { id, payload: { ...common, request: 'e30.e30.', trusted: ['client_id'], ...more } }
    case 'InitialAccessToken':
      return { id, payload: { ...common, ...more } }
    case 'ClientCredentials':
    case 'RegistrationAccessToken':
      return { id, payload: { ...common, clientId, ...more } }
    case 'AuthorizationCode':
      return {
        id,
        payload: {
          ...token,
          codeChallenge: randomToken(),
          codeChallengeMethod: 'S256',
          nonce: 'n-1',
          redirectUri: 'https://app.example/cb',
        },
      }
    case 'AccessToken':
    case 'RefreshToken':
    case 'BackchannelAuthenticationRequest':
    case 'PreAuthorizedCode':
      return { id, payload: token }
  }
}
