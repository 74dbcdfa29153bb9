import { setTimeout as sleep } from 'node:timers/promises'
import Router from '@koa/router'
import type { Middleware } from 'koa'

export interface HealthDeps {
  /** Whether PostgreSQL takes a write, by a clock near ours. */
  readonly readiness: { isReady(): Promise<boolean> }
  /** Where the server has grown to one. */
  readonly redis: { isReady(): Promise<boolean> } | undefined
  readonly isStopping: () => boolean
}

const PREFIX = '/health'
/** Milliseconds: a balancer does not wait long either. */
const READY_MS = 2000

/** Liveness says the process runs; readiness that it can serve: for balancers, without any detail. */
export function healthRoutes({ readiness, redis, isStopping }: HealthDeps): Middleware {
  const router = new Router({ prefix: PREFIX })
  router.get('/live', (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    ctx.body = { status: 'ok' }
  })
  router.get('/ready', async (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    const stores = Promise.all([readiness.isReady(), redis?.isReady() ?? true]).then((each) =>
      each.every(Boolean),
    )
    const isReady =
      !isStopping() && (await Promise.race([stores, sleep(READY_MS, false, { ref: false })]))
    ctx.status = isReady ? 200 : 503
    ctx.body = { status: isReady ? 'ok' : 'unavailable' }
  })
  const routes = router.routes() as Middleware
  // It comes before everything else: a router that looks at every request is a cost of every request.
  return (ctx, next) => (ctx.path.startsWith(PREFIX) ? routes(ctx, next) : next())
}
