import type { Context, Middleware } from 'koa'
import { CLAIMS_PARAMETER, type LimitName } from '../../config/limits.ts'
import { AppError } from '../../errors.ts'
import { ENDPOINTS, endpointOf } from '../../oidc/endpoints.ts'
import { formOf } from '../state.ts'
import { formBody } from './body.ts'
import type { RateLimit } from './rate-limit.ts'

/**
 * Longest URL and parameters that reach the protocol (AZ-08). `state` is the app's own, which some
 * keep all in: only the URL bounds it.
 */
const MAX_URL = 8 * 1024
const MAX_PARAM = 2 * 1024
const MAX_OF: ReadonlyMap<string, number> = new Map([
  ['claims', CLAIMS_PARAMETER.maxLength],
  ['state', MAX_URL],
])
const MAX_SCOPES = 50
/** Of what is no endpoint. */
const MAX_BODY = 56 * 1024

/** For nobody but who asked, HTTP/1.0 caches included (RFC 6749 5.1). */
const PRIVATE = { 'Cache-Control': 'no-store', Pragma: 'no-cache' }

/**
 * Bounds what the provider has to parse, and accepts POST at `/auth` (OIDC Core 3.1.2.1) and
 * `/session/end` by turning it into the same GET: with Lax cookies, a cross-site POST would arrive
 * without its session.
 */
export function protocolGuard(limit: RateLimit): Middleware {
  const names = new Set(
    Object.values(ENDPOINTS).flatMap((endpoint) => ('limit' in endpoint ? [endpoint.limit] : [])),
  )
  const limits = new Map<LimitName, Middleware>([...names].map((name) => [name, limit(name)]))
  const form = formBody()
  return (ctx, next) => {
    const endpoint = endpointOf(ctx)
    if (endpoint?.kind === 'call') ctx.set(PRIVATE)
    if (ctx.url.length > MAX_URL) throw new AppError('invalid_input')
    if (Number(ctx.req.headers['content-length'] ?? 0) > (endpoint?.maxBody ?? MAX_BODY))
      throw new AppError('payload_too_large')
    if (endpoint?.isEntry) {
      if (ctx.method === 'POST') return form(ctx, async () => redirectToGet(ctx))
      checkParams(ctx)
    }
    const count = endpoint?.limit && limits.get(endpoint.limit)
    return count ? count(ctx, next) : next()
  }
}

function redirectToGet(ctx: Context): void {
  const query = new URLSearchParams(formOf(ctx) as Record<string, string>).toString()
  const address = `${ctx.path}?${query}`
  if (address.length > MAX_URL) throw new AppError('invalid_input')
  ctx.status = 303
  ctx.redirect(address)
}

function checkParams(ctx: Context): void {
  const params = new URLSearchParams(ctx.querystring)
  for (const [name, value] of params)
    if (value.length > (MAX_OF.get(name) ?? MAX_PARAM)) throw new AppError('invalid_input')
  if ((params.get('scope') ?? '').split(' ').length > MAX_SCOPES)
    throw new AppError('invalid_input')
}
