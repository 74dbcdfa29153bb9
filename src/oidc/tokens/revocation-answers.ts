import type { Provider } from 'oidc-provider'
import { ENDPOINTS, endpointOf } from '../endpoints.ts'

/**
 * RFC 7009 2.2: the status says it all, so an answer has no body and no media type. There are
 * libraries that take nothing but JSON; who asks for that gets an empty object. A request without a
 * media type is the form that it can only be (2.1).
 */
export function answerRevocations(): Parameters<Provider['use']>[0] {
  return async (ctx, next) => {
    if (endpointOf(ctx) !== ENDPOINTS.revocation) return next()
    ctx.req.headers['content-type'] ??= 'application/x-www-form-urlencoded'
    await next()
    if (ctx.status !== 200) return
    if (ctx.get('accept').includes('application/json')) ctx.body = {}
    else ctx.remove('Content-Type')
  }
}
