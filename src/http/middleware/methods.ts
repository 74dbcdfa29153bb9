import type { Context, Middleware } from 'koa'
import { AppError } from '../../errors.ts'

/** What anything here answers to; TRACE, CONNECT and the verbs of other protocols are refused before any route looks (WB-07). */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

const READ = ['GET', 'HEAD']
/** What the provider has, whose router does not tell. */
const PROTOCOL: ReadonlyMap<string, readonly string[]> = new Map([
  ['/auth', [...READ, 'POST']],
  ['/token', ['POST', 'OPTIONS']],
  ['/token/introspection', ['POST', 'OPTIONS']],
  ['/token/revocation', ['POST', 'OPTIONS']],
  ['/userinfo', [...READ, 'POST', 'OPTIONS']],
  ['/jwks', [...READ, 'OPTIONS']],
  ['/.well-known/openid-configuration', [...READ, 'OPTIONS']],
  ['/.well-known/oauth-authorization-server', [...READ, 'OPTIONS']],
  ['/session/end', [...READ, 'POST']],
  ['/session/end/confirm', ['POST']],
  ['/session/end/success', READ],
])

/** 405 with `Allow` for a path that exists under another method: every router of ours leaves in `matched` what it has there. */
export function methods(): Middleware {
  return async (ctx, next) => {
    if (!METHODS.has(ctx.method)) throw refusal(ctx, METHODS)
    await next()
    if (ctx.status !== 404 || ctx.body != null) return
    const { matched = [] } = ctx as { matched?: readonly { readonly methods: readonly string[] }[] }
    const allowed = new Set(PROTOCOL.get(ctx.path) ?? matched.flatMap((route) => route.methods))
    if (allowed.size > 0 && !allowed.has(ctx.method)) throw refusal(ctx, allowed)
  }
}

function refusal(ctx: Context, allowed: ReadonlySet<string>): AppError {
  ctx.set('Allow', [...allowed].sort().join(', '))
  return new AppError('method_not_allowed')
}
