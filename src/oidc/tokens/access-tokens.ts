import type { JWTPayload } from 'jose'
import type { Provider } from 'oidc-provider'
import { verifyOwnJwt } from './own-jwts.ts'

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

/** Verifies RFC 9068 access tokens for an API of ours by our own keys, without a network. */
export class AccessTokens {
  readonly #deps: AccessTokensDeps

  constructor(deps: AccessTokensDeps) {
    this.#deps = deps
  }

  /** Undefined for what is neither of a person within a session nor of a client as its own subject. */
  async verify(token: string): Promise<ApiToken | undefined> {
    const { issuer, audience, provider } = this.#deps
    const rules = { issuer, audience, types: ['at+jwt'], algorithms: ['ES256'] }
    const claims = await verifyOwnJwt(provider(), token, rules)
    return claims && readClaims(claims)
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
