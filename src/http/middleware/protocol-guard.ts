import type { Context, Middleware } from 'koa'
import { AppError } from '../../errors.ts'
import { formBody } from './body.ts'
import type { RateLimit } from './rate-limit.ts'

/** Longest URL and parameters that reach the protocol (AZ-08). */
const MAX_URL = 8 * 1024
const MAX_PARAM = 2 * 1024
const MAX_SCOPES = 50
const MAX_BODY = 56 * 1024

const TOKEN_PATHS = new Set(['/token', '/token/introspection', '/token/revocation'])

/**
 * Bounds what the provider has to parse, and accepts POST at `/auth` (OIDC Core 3.1.2.1) and `/session/end` by turning it
 * into the same GET: with Lax cookies, a cross-site POST would arrive without its session.
 */
export function protocolGuard(limit: RateLimit): Middleware {
  const limitTokens = limit('token')
  const limitAuthorize = limit('authorize')
  const form = formBody()
  return (ctx, next) => {
    if (ctx.url.length > MAX_URL) throw new AppError('invalid_input')
    if (Number(ctx.req.headers['content-length'] ?? 0) > MAX_BODY) throw new AppError('payload_too_large')
    if (ctx.path === '/auth' || ctx.path === '/session/end') {
      if (ctx.method === 'POST') return form(ctx, async () => redirectToGet(ctx))
      checkParams(ctx)
    }
    if (TOKEN_PATHS.has(ctx.path)) {
      ctx.set('Cache-Control', 'no-store')
      return limitTokens(ctx, next)
    }
    // The provider's router takes any case, and a slash at the end.
    if (/^\/auth\/?$/i.test(ctx.path)) return limitAuthorize(ctx, next)
    return next()
  }
}

function redirectToGet(ctx: Context): void {
  ctx.status = 303
  ctx.redirect(`${ctx.path}?${new URLSearchParams(ctx.state['form'] as Record<string, string>).toString()}`)
}

function checkParams(ctx: Context): void {
  const params = new URLSearchParams(ctx.querystring)
  for (const value of params.values()) if (value.length > MAX_PARAM) throw new AppError('invalid_input')
  if ((params.get('scope') ?? '').split(' ').length > MAX_SCOPES) throw new AppError('invalid_input')
}
