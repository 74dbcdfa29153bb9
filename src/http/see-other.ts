import type { Context } from 'koa'

/** Post/redirect/get: a 303, so that credentials are never posted on (AZ-10, UX-15). */
export function seeOther(ctx: Context, location: string): void {
  ctx.status = 303
  ctx.redirect(location)
  ctx.set('Cache-Control', 'no-store')
}
