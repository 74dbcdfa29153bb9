import Router from '@koa/router'
import type { Middleware } from 'koa'
import compose from 'koa-compose'
import type { LimitName } from '../../config/limits.ts'
import { AppError } from '../../errors.ts'
import type { FaultLog } from '../../fault-log.ts'
import { jsonOnly } from '../middleware/body.ts'
import { errorHandler } from '../middleware/errors.ts'
import { issuerHostOnly } from '../middleware/host.ts'
import { presentJson } from '../middleware/json-errors.ts'
import type { RateLimit } from '../middleware/rate-limit.ts'
import type { Api } from './api.ts'
import { type Operation, takesBody } from './operation.ts'

export interface DoorDeps {
  readonly issuer: string
  readonly faults: FaultLog
}

/**
 * The routes of an API. What a page of another site can send (another media type, no body, no
 * token) is refused before it is counted: it would use up the limits of the person who looks at that page
 * (SE-11).
 */
export function apiRouter<Deps>(api: Api<Deps>, deps: Deps, limit: RateLimit): Router {
  const router = new Router({ prefix: api.prefix, strict: true, sensitive: true })
  const limits = new Map<LimitName, Middleware>()
  const under = (name: LimitName): Middleware => {
    const known = limits.get(name) ?? limit(name)
    limits.set(name, known)
    return known
  }
  for (const operation of api.operations)
    router.register(
      operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      [operation.method],
      [...prechecks(operation), limit(operation.limit), (ctx) => operation.run(ctx, deps, under)],
    )
  return router
}

function prechecks<Deps>({ guard, exchanges }: Operation<Deps>): Middleware[] {
  return [
    ...(guard.precheck ? [guard.precheck] : []),
    ...(takesBody({ exchanges }) ? [jsonOnly({ isOptional: guard.isBearer })] : []),
  ]
}

/** Everything below the prefix, refusals included, is JSON and never stored. */
export function apiDoor<Deps extends DoorDeps>(
  api: Api<Deps>,
  deps: Deps,
  limit: RateLimit,
): Middleware {
  const router = apiRouter(api, deps, limit)
  const door = compose([
    errorHandler(deps.faults, (ctx, error) => {
      api.challenge(ctx, error)
      presentJson(ctx, error)
    }),
    issuerHostOnly(deps.issuer),
    unknownMethods,
    router.routes() as Middleware,
    router.allowedMethods() as Middleware,
  ])
  return (ctx, next) => {
    if (ctx.path !== api.prefix && !ctx.path.startsWith(`${api.prefix}/`)) return next()
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
    return door(ctx, async () => undefined)
  }
}

/** Methods that no route knows are not allowed here, like those of another route (WB-07). */
const unknownMethods: Middleware = async (ctx, next) => {
  await next()
  if (ctx.status === 501) throw new AppError('method_not_allowed')
}
