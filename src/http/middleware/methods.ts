import type { Context, Middleware } from 'koa'
import { AppError } from '../../errors.ts'
import { endpointOf } from '../../oidc/endpoints.ts'

/**
 * What anything here answers to; TRACE, CONNECT and the verbs of other protocols are refused before
 * any route looks (WB-07).
 */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/**
 * 405 with `Allow` for a path that exists under another method: every router of ours leaves in
 * `matched` what it has there; the provider's does not tell.
 */
export function methods(): Middleware {
  return async (ctx, next) => {
    if (!METHODS.has(ctx.method)) throw refusal(ctx, METHODS)
    await next()
    if (ctx.status !== 404 || ctx.body != null) return
    const { matched = [] } = ctx as { matched?: readonly { readonly methods: readonly string[] }[] }
    const allowed = new Set(endpointOf(ctx)?.methods ?? matched.flatMap((route) => route.methods))
    if (allowed.size > 0 && !allowed.has(ctx.method)) throw refusal(ctx, allowed)
  }
}

function refusal(ctx: Context, allowed: ReadonlySet<string>): AppError {
  ctx.set('Allow', [...allowed].sort().join(', '))
  return new AppError('method_not_allowed')
}
