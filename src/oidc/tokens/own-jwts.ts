import {
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import type { Provider } from 'oidc-provider'

const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use']
const published = new WeakMap<Provider, JWTVerifyGetKey>()

/** Keeps what `/jwks` of this provider publishes, for tokens that come back to ourselves. */
export function rememberKeys(provider: Provider, keys: readonly object[]): void {
  const seen = keys.map((jwk) =>
    Object.fromEntries(Object.entries(jwk).filter(([member]) => PUBLIC_MEMBERS.includes(member))),
  )
  published.set(provider, createLocalJWKSet({ keys: seen }))
}

/**
 * Every part in its one canonical spelling: base64url decoders forgive padding bits, and a token
 * must have one text (TK-08, TK-11).
 */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/

export interface OwnJwtRules {
  readonly issuer: string
  /** The API: the one audience that a token must have. */
  readonly audience: string
  readonly types: readonly string[]
  readonly algorithms: readonly string[]
}

/**
 * What an access token that we have signed says; undefined for whatever is no valid one: signature,
 * issuer, the one audience, type and expiry (JW-01 to JW-04). One that is bound to a key (`cnf`) is
 * refused, since nobody here checks the proof.
 */
export async function verifyOwnJwt(
  provider: Provider,
  token: string,
  { issuer, audience, types, algorithms }: OwnJwtRules,
): Promise<JWTPayload | undefined> {
  if (!isCompact(token) || !types.includes(typOf(token))) return undefined
  const keys = published.get(provider)
  if (!keys) throw new Error('the keys of the provider are not known')
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: [...algorithms],
      requiredClaims: ['exp', 'iat', 'jti', 'sub', 'client_id'],
    })
    return payload.aud === audience && payload['cnf'] === undefined ? payload : undefined
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined
    throw error
  }
}

function typOf(token: string): string {
  try {
    return decodeProtectedHeader(token).typ ?? ''
  } catch {
    return ''
  }
}

/** Whether it is spelled as a signed JWT is. */
function isCompact(token: string): boolean {
  return (
    COMPACT.test(token) &&
    token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
  )
}
