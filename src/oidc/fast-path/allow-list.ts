import type { IncomingHttpHeaders } from 'node:http'
import { AUTH_METHODS, GRANT_TYPES } from '../../clients/registration.ts'
import { FEATURES } from '../features.ts'

/**
 * What the fast path was written for, by name and value. What is not here is the engine's: a member
 * that a later feature gives to clients, tokens or requests is never passed over.
 */
type Check = (value: unknown) => boolean
const anything: Check = () => true
const oneOf =
  (...allowed: readonly unknown[]): Check =>
  (value) =>
    allowed.includes(value)
const someOf =
  (...allowed: readonly unknown[]): Check =>
  (value) =>
    Array.isArray(value) && value.every((each) => allowed.includes(each))
const isText: Check = (value) => typeof value === 'string'
const isBoolean: Check = (value) => typeof value === 'boolean'
const isNumber: Check = (value) => typeof value === 'number'
const areTexts: Check = (value) => Array.isArray(value) && value.every(isText)

/** `anything`: it is asked for at other endpoints, or when the client authenticates otherwise. */
const CLIENT: Readonly<Record<string, Check>> = {
  client_id: isText,
  client_secret: isText,
  client_secrets: anything,
  client_name: anything,
  application_type: oneOf('web', 'native'),
  token_endpoint_auth_method: oneOf(...AUTH_METHODS),
  token_endpoint_auth_signing_alg: anything,
  jwks: anything,
  jwks_uri: anything,
  assertion_audience: anything,
  assertion_seconds: anything,
  grant_types: someOf(...GRANT_TYPES),
  response_types: someOf('code'),
  response_modes: anything,
  redirect_uris: anything,
  post_logout_redirect_uris: anything,
  initiate_login_uri: anything,
  scope: isText,
  subject_type: oneOf('public'),
  id_token_signed_response_alg: oneOf('ES256', 'RS256', 'PS256', 'EdDSA'),
  // Asked for by `Accept`, which leads to the engine.
  introspection_signed_response_alg: anything,
  require_auth_time: oneOf(false),
  backchannel_logout_uri: anything,
  backchannel_logout_session_required: anything,
  backchannel_http: anything,
  client_uri: anything,
  logo_uri: anything,
  policy_uri: anything,
  tos_uri: anything,
  contacts: anything,
  first_party: isBoolean,
  // Asked for when somebody signs in.
  require_mfa: isBoolean,
  require_acr: oneOf('2fa', 'phr'),
  default_acr_values: areTexts,
  sign_in_methods: areTexts,
  providers: areTexts,
  account_api: isBoolean,
  managed_by: oneOf('operator', 'config', 'system'),
  not_before: isNumber,
  refresh_leeway_seconds: isNumber,
  refresh_rotation: oneOf('never'),
  pkce: oneOf('or_nonce', 'optional'),
  access_token_seconds: isNumber,
  refresh_idle_seconds: isNumber,
  id_token_claims: oneOf('scope'),
  at_hash: oneOf(true),
  allowed_resources: areTexts,
  allowed_scopes: areTexts,
  default_scopes: areTexts,
  visible_groups: areTexts,
  // Asked for on pages only.
  registration: anything,
  logo_digest: anything,
}

/** Members of stored codes and tokens. */
const TOKEN = new Set(
  [
    ['kind', 'jti', 'iat', 'exp', 'iiat', 'clientId', 'accountId', 'grantId', 'gty', 'consumed'],
    ['sessionUid', 'expiresWithSession', 'sid', 'acr', 'amr', 'authTime', 'nonce', 'rotations'],
    ['scope', 'resource', 'aud', 'extra', 'redirectUri', 'codeChallenge', 'codeChallengeMethod'],
  ].flat(),
)

/** Features of the engine that the fast path answers as the engine does, or that do not meet it. */
const KNOWN_FEATURES = new Set([
  'backchannelLogout',
  'claimsParameter',
  'clientCredentials',
  'externalSigningSupport',
  'introspection',
  'jwtIntrospection',
  'resourceIndicators',
  'revocation',
  'rpInitiatedLogout',
  'userinfo',
])

/** Whether no feature is on that the fast path was not written for. */
export const isOpen = Object.entries(FEATURES).every(
  ([name, isOn]) => !isOn || KNOWN_FEATURES.has(name),
)

/** Whether the metadata says nothing that the fast path does not know. */
export function isKnownClient(metadata: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(metadata).every(
    ([name, value]) => value === undefined || (CLIENT[name]?.(value) ?? false),
  )
}

/** The same of a code or token. */
export function isKnownToken(token: object): boolean {
  return Object.entries(token).every(([name, value]) => value === undefined || TOKEN.has(name))
}

/** Ways to authenticate, and origins of browsers, which the engine answers. */
const ENGINE_HEADERS = [
  'origin',
  'dpop',
  'oauth-client-attestation',
  'oauth-client-attestation-pop',
]
/** JSON, or whatever there is. Other types may be asked for by name (RFC 9701). */
const ACCEPT = /^(?:(?:\*\/\*|application\/json|text\/plain)(?:; ?q=[\d.]+)?(?:, ?(?=\S)|$))+$/

/**
 * Whether the request asks for what the fast path answers. Names of headers are not listed, because
 * proxies add what they like; what the engine reads of them is, and a new feature closes all.
 */
export function isKnownRequest(headers: IncomingHttpHeaders): boolean {
  const { accept } = headers
  return (
    (accept === undefined || ACCEPT.test(accept)) &&
    ENGINE_HEADERS.every((name) => headers[name] === undefined)
  )
}
