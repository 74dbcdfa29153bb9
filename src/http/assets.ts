import Router from '@koa/router'
import type { Views } from '../views/views.ts'

/** Styles and script under names that carry their content's hash: cached for ever. */
export function assetRoutes({ assets }: Pick<Views, 'assets'>): Router {
  const router = new Router()
  router.get('/assets/:name', async (ctx, next) => {
    const asset = assets.get(ctx.path)
    if (!asset) return next()
    ctx.set('Cache-Control', 'public, max-age=31536000, immutable')
    ctx.set('ETag', asset.etag)
    ctx.type = asset.type
    // Koa compares only what is found.
    ctx.status = 200
    if (ctx.fresh) ctx.status = 304
    else ctx.body = asset.body
  })
  return router
}
