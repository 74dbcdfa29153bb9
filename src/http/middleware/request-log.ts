import type { Middleware } from 'koa'
import type { Logger } from '../../logger/logger.ts'
import { endpointOf } from '../../oidc/endpoints.ts'

/** One line per request, without query, body, cookies or any other place where a secret travels (LG-02). */
export function requestLog(logger: Logger): Middleware {
  // Its members are all named below: looking for secrets at any depth would cost more than the rest
  // of the line, for every request.
  const lines = logger.child({}, { redact: [] })
  return async (ctx, next) => {
    const began = performance.now()
    try {
      await next()
    } finally {
      const { requestId, origin } = ctx.state
      const ms = Math.round(performance.now() - began)
      const path = endpointOf(ctx)?.path ?? redacted(ctx.path.slice(0, 200))
      lines.info(
        { requestId, method: ctx.method, path, status: ctx.status, ms, ip: origin?.ip },
        'request',
      )
    }
  }
}

/**
 * The interaction's id is in paths, and is not for the log: here in that of a step, and in that
 * of an endpoint of the table.
 */
function redacted(path: string): string {
  return path.replace(/^\/interaction\/[^/]+/, '/interaction/:uid')
}
