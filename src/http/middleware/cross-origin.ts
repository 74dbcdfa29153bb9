import type { Context, Middleware } from 'koa'
import { endpointOf } from '../../oidc/endpoints.ts'

const ALLOWED = 'Access-Control-Allow-Origin'

/**
 * Who may read an answer (SE-14). The provider lets every origin in until it knows the client, and
 * then only that client's own. Here an origin that some client registered is named, and may send
 * credentials where they change nothing; every other, `null` among them, may read what needs none.
 */
export function crossOrigin(origins: { has(origin: string): Promise<boolean> }): Middleware {
  const named = async (ctx: Context, origin: string): Promise<void> => {
    if (!ctx.response.get(ALLOWED)) return
    const isNamed = endpointOf(ctx)?.readsNoCookie === true && (await origins.has(origin))
    ctx.set(ALLOWED, isNamed ? origin : '*')
    if (isNamed) ctx.set('Access-Control-Allow-Credentials', 'true')
  }
  return (ctx, next) => {
    const { origin } = ctx.req.headers
    return origin === undefined ? next() : next().then(() => named(ctx, origin))
  }
}
