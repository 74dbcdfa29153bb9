import { createLocalJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { Provider } from 'oidc-provider'
import { API_SCOPE, apiResource } from '../clients/built-in-clients.ts'

/**
 * What a valid access token for `/api/auth/*` says. Whether its session still lives is for the
 * caller to ask.
 */
export interface ApiToken {
  readonly accountId: string
  readonly sessionId: string
  readonly clientId: string
  /** Unix time. */
  readonly issuedAt: number
  readonly hasScope: boolean
}

export interface AccessTokensDeps {
  readonly issuer: string
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

/** Verifies RFC 9068 access tokens for our own API by our own keys, without a network. */
export class AccessTokens {
  readonly #deps: AccessTokensDeps

  constructor(deps: AccessTokensDeps) {
    this.#deps = deps
  }

  /**
   * Undefined for whatever is no valid token of ours: signature, issuer, the one audience, type,
   * expiry, session (JW-01 to JW-04).
   */
  async verify(token: string): Promise<ApiToken | undefined> {
    if (
      !COMPACT.test(token) ||
      token.split('.').some((part) => Buffer.from(part, 'base64url').toString('base64url') !== part)
    )
      return undefined
    const { issuer } = this.#deps
    const audience = apiResource(issuer)
    try {
      const { payload } = await jwtVerify(token, this.#keys(), {
        issuer,
        audience,
        typ: 'at+jwt',
        algorithms: ['ES256'],
        requiredClaims: ['exp', 'iat', 'jti', 'sub', 'client_id', 'sid'],
      })
      const { aud, sub, sid, client_id: clientId, scope, iat: issuedAt = 0 } = payload
      if (
        aud !== audience ||
        typeof sub !== 'string' ||
        typeof sid !== 'string' ||
        typeof clientId !== 'string'
      )
        return undefined
      const hasScope = typeof scope === 'string' && scope.split(' ').includes(API_SCOPE)
      return { accountId: sub, sessionId: sid, clientId, issuedAt, hasScope }
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
