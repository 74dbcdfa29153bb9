import Router from '@koa/router'
import type { Pool } from '../database/database.ts'
import type { PictureType } from '../picture-type.ts'

const FIND = {
  name: 'picture-find',
  text: 'select "type", "content" from "picture" where "digest" = $1',
}

/** Where a page finds our copy of a logo. */
export function logoPath(digest: string): string {
  return `/logos/${digest}`
}

/**
 * Copies of clients' logos under the digests of what they hold: cached for ever. They are
 * strangers' bytes on our origin, so nothing in them may become a page (CL-03).
 */
export function logoRoutes({ pool }: { readonly pool: Pool }): Router {
  const router = new Router()
  router.get('/logos/:digest', async (ctx, next) => {
    const digest = String(ctx['params']['digest'])
    if (!/^[0-9a-f]{64}$/.test(digest)) return next()
    const { rows } = await pool.query<{ type: PictureType; content: Buffer }>({
      ...FIND,
      values: [digest],
    })
    const [picture] = rows
    if (!picture) return next()
    ctx.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'; sandbox")
    ctx.set('Cache-Control', 'public, max-age=31536000, immutable')
    ctx.set('ETag', `"${digest}"`)
    ctx.type = picture.type
    // Koa compares only what is found.
    ctx.status = 200
    if (ctx.fresh) ctx.status = 304
    else ctx.body = picture.content
  })
  return router
}
