import { createLocalJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { Provider } from 'oidc-provider'

interface Verified {
  readonly clientId: string
  /** Unix time. */
  readonly issuedAt: number
  readonly scopes: readonly string[]
}

/** Whether the session of a person still lives is for the caller to ask. */
export interface PersonToken extends Verified {
  readonly kind: 'person'
  readonly accountId: string
  readonly sessionId: string
}

/** Of a client that got it for itself: its subject is the client (RFC 9068 2.2). */
export interface ServiceToken extends Verified {
  readonly kind: 'service'
}

/** What a valid access token for one of our own APIs says. */
export type ApiToken = PersonToken | ServiceToken

export interface AccessTokensDeps {
  readonly issuer: string
  /** The API: the one audience that a token must have. */
  readonly audience: string
  readonly provider: () => Provider
}

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

/** Verifies RFC 9068 access tokens for an API of ours by our own keys, without a network. */
export class AccessTokens {
  readonly #deps: AccessTokensDeps

  constructor(deps: AccessTokensDeps) {
    this.#deps = deps
  }

  /**
   * Undefined for whatever is no valid token of ours: signature, issuer, the one audience, type,
   * expiry, and either the session of a person or a client as its own subject (JW-01 to JW-04).
   */
  async verify(token: string): Promise<ApiToken | undefined> {
    if (
      !COMPACT.test(token) ||
      token.split('.').some((part) => Buffer.from(part, 'base64url').toString('base64url') !== part)
    )
      return undefined
    const { issuer, audience } = this.#deps
    try {
      const { payload } = await jwtVerify(token, this.#keys(), {
        issuer,
        audience,
        typ: 'at+jwt',
        algorithms: ['ES256'],
        requiredClaims: ['exp', 'iat', 'jti', 'sub', 'client_id'],
      })
      return payload.aud === audience ? readClaims(payload) : undefined
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined
      throw error
    }
  }

  #keys(): JWTVerifyGetKey {
    const keys = published.get(this.#deps.provider())
    if (!keys) throw new Error('the keys of the provider are not known')
    return keys
  }
}

function readClaims(claims: JWTPayload): ApiToken | undefined {
  const { sub, sid, client_id: clientId, scope, iat: issuedAt = 0 } = claims
  if (typeof sub !== 'string' || typeof clientId !== 'string') return undefined
  const scopes = typeof scope === 'string' ? scope.split(' ') : []
  const verified = { clientId, issuedAt, scopes }
  if (typeof sid === 'string')
    return { ...verified, kind: 'person', accountId: sub, sessionId: sid }
  return sid === undefined && sub === clientId ? { ...verified, kind: 'service' } : undefined
}
