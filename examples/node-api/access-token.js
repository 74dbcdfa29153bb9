import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

/** A request that is turned away, with the challenge of RFC 6750 3. */
export class Refusal extends Error {
  constructor(status, error, scope) {
    super(error ?? 'no access token')
    this.status = status
    this.challenge = [
      'Bearer realm="notes"',
      error && `error="${error}"`,
      scope && `scope="${scope}"`,
    ]
      .filter(Boolean)
      .join(', ')
  }
}

/**
 * Makes the guard of an API: `guard(request, scope)` resolves to the token's claims or throws a `Refusal`. The token is verified
 * by the server's published keys, fetched once and again when an unknown key appears (RFC 9068 4); nobody is asked per request.
 */
export async function accessTokens({ issuer, audience }) {
  const discovery = await fetch(`${issuer}/.well-known/oauth-authorization-server`)
  const metadata = await discovery.json()
  if (metadata.issuer !== issuer) throw new Error(`${issuer} calls itself ${metadata.issuer}`)
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri))
  const rules = {
    issuer,
    audience,
    typ: 'at+jwt',
    algorithms: ['ES256', 'RS256'],
    requiredClaims: ['exp', 'iat', 'sub', 'client_id', 'jti'],
  }

  return async function guard(request, scope) {
    const [, token] = /^Bearer ([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? '') ?? []
    if (!token) throw new Refusal(401)
    const { payload } = await jwtVerify(token, keys, rules).catch((error) => {
      const isTokensFault =
        error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout)
      throw isTokensFault ? new Refusal(401, 'invalid_token') : error
    })
    // Bound to a key (RFC 7800): what cannot be checked is refused.
    if (payload.cnf !== undefined) throw new Refusal(401, 'invalid_token')
    if (
      !String(payload.scope ?? '')
        .split(' ')
        .includes(scope)
    )
      throw new Refusal(403, 'insufficient_scope', scope)
    return payload
  }
}
