import { redirectKind } from './redirect-kind.ts'

/** What a request had not, or wanted, and was refused for. */
export const LACKS = [
  'code_challenge',
  'response_mode',
  'scope',
  'redirect_uri',
  'auth_method',
  'grant_type',
  'assertion_audience',
  'assertion_seconds',
] as const
export type Lack = (typeof LACKS)[number]

/** A refused request, as far as it decides which switch would let it through. */
export interface RefusedRequest {
  readonly lack: Lack
  readonly redirectUri?: string
  /** It would have an ID token that the nonce comes back in. */
  readonly hasNonce?: boolean
  readonly responseMode?: string
  /** Scopes that were left out. */
  readonly scopes?: readonly string[]
  readonly authMethod?: string
  readonly grantType?: string
  /** Its assertion is for the token endpoint. */
  readonly isForEndpoint?: boolean
  /** How long its assertion lives, if it says so and that may be. */
  readonly seconds?: number
}

/** What the operator can do about it. */
export interface Advice {
  /** What is added to `gatehouse client update <id>`; absent: no switch lets it through. */
  readonly option?: string
  readonly says: string
}

/** Of the registration. */
export interface Registered {
  readonly authMethod: string
  readonly responseModes: readonly string[]
  readonly grantTypes: readonly string[]
  readonly scopes: readonly string[]
  readonly pkce: string
}

type Adviser = (refused: RefusedRequest, registered: Registered) => Advice

const ADVISERS: Readonly<Record<Lack, Adviser>> = {
  code_challenge: ({ redirectUri = '', hasNonce }, { authMethod }) => {
    if (authMethod === 'none')
      return { says: 'the app sends no code_challenge, and has no secret: it has to send one' }
    if (redirectKind(redirectUri) !== 'https')
      return { says: 'the app sends no code_challenge, which is for https redirect URIs only' }
    return hasNonce
      ? { option: '--pkce or_nonce', says: 'the app sends a nonce, but no code_challenge' }
      : { option: '--pkce optional', says: 'the app sends neither a code_challenge nor a nonce' }
  },
  response_mode: ({ responseMode = '' }, { responseModes, pkce }) =>
    responseMode === 'fragment' && pkce === 'optional'
      ? { says: 'the app asks for response_mode=fragment, which is not for --pkce optional' }
      : {
          option: `--response-mode ${[...responseModes, responseMode].join(' ')}`,
          says: `the app asks for response_mode=${responseMode}`,
        },
  scope: ({ scopes = [] }, { scopes: allowed, grantTypes }) => {
    const all = [...new Set([...allowed, ...scopes])].join(' ')
    const lacksGrant = scopes.includes('offline_access') && !grantTypes.includes('refresh_token')
    const grant = lacksGrant ? ` --grant ${[...grantTypes, 'refresh_token'].join(' ')}` : ''
    const named = scopes.includes('groups') ? ' --groups <those that it may see>' : ''
    return {
      option: `--scope ${all}${grant}${named}`,
      says: `the app asks for the scope ${scopes.join(' ')}, which it may not have; it is left out`,
    }
  },
  redirect_uri: ({ redirectUri = '' }) => ({
    option: '--redirect <all that it has, and that one>',
    says: `the redirect_uri that was sent is not registered: ${redirectUri}`,
  }),
  auth_method: ({ authMethod = 'none' }, { authMethod: registered }) => ({
    says: `the app authenticates by ${authMethod}, and is registered for ${registered}`,
  }),
  grant_type: ({ grantType = '' }, { grantTypes, authMethod }) =>
    grantType === 'client_credentials' && authMethod === 'none'
      ? { says: 'the app asks for a token for itself, which needs a secret or a key' }
      : {
          option: `--grant ${[...grantTypes, grantType].join(' ')}`,
          says: `the app asks for grant_type=${grantType}`,
        },
  assertion_audience: ({ isForEndpoint }) => ({
    ...(isForEndpoint ? { option: '--assertion-audience token-endpoint' } : {}),
    says: isForEndpoint
      ? "the app's assertions are for the token endpoint, not for the issuer"
      : "the app's assertions are for somebody else: aud has to be the issuer",
  }),
  assertion_seconds: ({ seconds }) => ({
    ...(seconds === undefined ? {} : { option: `--assertion-seconds ${seconds}` }),
    says:
      seconds === undefined
        ? "the app's assertions live too long, or do not say since when (iat)"
        : `the app's assertions live ${seconds} seconds`,
  }),
}

/** Which switch of the client a refused request needs: for the log, and for `doctor client`. */
export function adviceOn(refused: RefusedRequest, registered: Registered): Advice {
  return ADVISERS[refused.lack](refused, registered)
}

/** What is given up by the switches of a client, one sentence each. */
export function givenUpBy({ pkce }: { readonly pkce: string }): string[] {
  if (pkce !== 'optional') return []
  return [
    '--pkce optional: nothing ties a code to the browser that asked for it. A code that is stolen, or planted in another browser, is stopped by the secret and by the "state" of the app alone. If the app sends a nonce and checks it, --pkce or_nonce keeps that tie.',
  ]
}
