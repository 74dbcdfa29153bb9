import { type UpstreamReason, UpstreamRefusal } from './refusal.ts'

/** What the errors of openid-client and of guarded fetch have in common. */
interface Thrown {
  readonly name?: string
  readonly code?: unknown
  readonly error?: unknown
  readonly status?: unknown
  readonly cause?: unknown
}

const ASK_AGAIN = new Set([
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
])
const BUSY = new Set(['server_error', 'temporarily_unavailable'])
/** GitHub has words of its own for what RFC 6749 calls otherwise. */
const CODE = new Set(['invalid_grant', 'bad_verification_code'])
const CLIENT = new Set(['invalid_client', 'unauthorized_client', 'incorrect_client_credentials'])
const SLOW = new Set(['OAUTH_TIMEOUT', 'OAUTH_ABORT', 'ABORT_ERR'])
/** By the code of openid-client or jose, where the code alone says it. */
const BY_CODE: Readonly<Record<string, UpstreamReason>> = {
  OAUTH_WWW_AUTHENTICATE_CHALLENGE: 'client_refused',
  OAUTH_RESPONSE_IS_NOT_JSON: 'broken',
  OAUTH_RESPONSE_IS_NOT_CONFORM: 'broken',
  OAUTH_PARSE_ERROR: 'broken',
  OAUTH_INVALID_SERVER_METADATA: 'broken',
  OAUTH_MISSING_SERVER_METADATA: 'broken',
  OAUTH_JWT_CLAIM_COMPARISON_FAILED: 'claims',
  OAUTH_JWT_TIMESTAMP_CHECK_FAILED: 'claims',
  OAUTH_KEY_SELECTION_FAILED: 'signature',
  OAUTH_UNSUPPORTED_OPERATION: 'signature',
  ERR_JWKS_TIMEOUT: 'slow',
  ERR_JWKS_INVALID: 'broken',
  ERR_JOSE_GENERIC: 'broken',
  ERR_JWKS_NO_MATCHING_KEY: 'signature',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'signature',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
  ERR_JOSE_ALG_NOT_ALLOWED: 'signature',
  ERR_JOSE_NOT_SUPPORTED: 'signature',
  ERR_JWS_INVALID: 'signature',
  ERR_JWT_INVALID: 'signature',
  ERR_JWT_EXPIRED: 'claims',
  ERR_JWT_CLAIM_VALIDATION_FAILED: 'claims',
}

/** What an invalid answer is about, by what the error shows of it. */
const ABOUT: Readonly<Record<string, UpstreamReason>> = {
  parameters: 'callback',
  claims: 'claims',
}

/** Of anything that a call to a provider may throw; what is a refusal already stays it. */
export function upstreamRefusal(error: unknown): UpstreamRefusal {
  return error instanceof UpstreamRefusal ? error : new UpstreamRefusal(reasonOf(error), error)
}

/** By class and code, never by message. */
function reasonOf(error: unknown): UpstreamReason {
  const { code, error: word, status, cause } = asThrown(error)
  if (code === 'OAUTH_AUTHORIZATION_RESPONSE_ERROR') return ofAuthorization(word)
  if (code === 'OAUTH_RESPONSE_BODY_ERROR') return ofBody(word, status)
  const inner = asThrown(asThrown(cause).cause) as Readonly<Record<string, unknown>>
  if (code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED')
    return asThrown(cause).code === undefined ? 'issuer' : 'claims'
  if (code === 'OAUTH_INVALID_RESPONSE') {
    if ('body' in inner) return ofBody(asThrown(inner['body']).error ?? 'invalid_grant', 200)
    const about = Object.keys(ABOUT).find((what) => what in inner)
    return (about && ABOUT[about]) || 'signature'
  }
  if (typeof code === 'string' && BY_CODE[code]) return BY_CODE[code]
  if (isSlow(error)) return 'slow'
  return 'unreachable'
}

function ofAuthorization(word: unknown): UpstreamReason {
  if (word === 'access_denied') return 'cancelled'
  if (ASK_AGAIN.has(String(word))) return 'start_again'
  return BUSY.has(String(word)) ? 'busy' : 'refused'
}

function ofBody(word: unknown, status: unknown): UpstreamReason {
  if (CODE.has(String(word))) return 'code'
  if (CLIENT.has(String(word))) return 'client_refused'
  return BUSY.has(String(word)) || Number(status) >= 500 ? 'broken' : 'refused'
}

/** A deadline of ours or the library's, however deep. */
function isSlow(error: unknown): boolean {
  const { name, code, cause } = asThrown(error)
  if (name === 'TimeoutError' || name === 'AbortError' || SLOW.has(String(code))) return true
  return cause !== undefined && cause !== error && isSlow(cause)
}

function asThrown(value: unknown): Thrown {
  return typeof value === 'object' && value !== null ? value : {}
}
