import type { Middleware } from 'koa'
import { endpointAt } from '../../oidc/endpoints.ts'

/**
 * Finds the endpoint of the protocol that the request is for; nobody else looks at its path. The
 * provider's own router takes any case and a slash at the end, but gets no request that has no
 * endpoint here.
 */
export function endpoints(): Middleware {
  return (ctx, next) => {
    const endpoint = endpointAt(ctx.path)
    ctx.state.endpoint = endpoint
    if (endpoint?.alias === ctx.path) ctx.path = endpoint.path
    return next()
  }
}
