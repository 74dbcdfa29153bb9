import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import type { Context, Middleware } from 'koa'
import { ENDPOINTS } from '../../oidc/endpoints.ts'

export const DEMO_SCOPE = 'demo:read'
export const demoApi = (issuer: string): string => `${issuer}/demo/api`

/**
 * What any API behind this server does: it verifies the token by the published keys, and asks
 * nobody (RFC 9068 4).
 */
export function demoHello(issuer: string): Middleware {
  const keys = createRemoteJWKSet(new URL(issuer + ENDPOINTS.jwks.path))
  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(ctx.get('authorization'))?.[1]
    if (!token) return challenge(ctx, 401)
    let claims: JWTPayload
    try {
      const options = {
        issuer,
        audience: demoApi(issuer),
        typ: 'at+jwt',
        algorithms: ['ES256'],
        requiredClaims: ['sub', 'client_id', 'exp'],
      }
      claims = (await jwtVerify(token, keys, options)).payload
    } catch (error) {
      if (!(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout) throw error
      return challenge(ctx, 401, 'error="invalid_token"')
    }
    // Bound to a key: nobody here checks the proof (RFC 7800).
    if (claims['cnf'] !== undefined) return challenge(ctx, 401, 'error="invalid_token"')
    const { sub, client_id, scope, exp = 0 } = claims
    if (!String(scope).split(' ').includes(DEMO_SCOPE))
      return challenge(ctx, 403, `error="insufficient_scope", scope="${DEMO_SCOPE}"`)
    ctx.body = {
      message: 'The API knows you by your token alone.',
      sub,
      client_id,
      scope,
      expires: new Date(exp * 1000).toISOString(),
    }
  }
}

/** RFC 6750 3: no error code when no token was sent. */
function challenge(ctx: Context, status: 401 | 403, detail?: string): void {
  ctx.status = status
  ctx.set('WWW-Authenticate', `Bearer realm="demo"${detail ? `, ${detail}` : ''}`)
  ctx.body = { error: status === 403 ? 'insufficient_scope' : 'invalid_token' }
}
