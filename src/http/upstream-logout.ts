import Router from '@koa/router'
import type { Context } from 'koa'
import { AppError } from '../errors.ts'
import type { UpstreamLogout } from '../upstream/upstream-logout.ts'
import { formBody } from './middleware/body.ts'
import type { RateLimit } from './middleware/rate-limit.ts'
import { formOf } from './state.ts'

const MAX_TOKEN = 16_000

export interface UpstreamLogoutDeps {
  readonly upstreamLogout: UpstreamLogout
  readonly limit: RateLimit
}

/** Where providers tell of sign-outs (OpenID Connect Back-Channel Logout 1.0, 2.5). */
export function upstreamLogoutRoutes({ upstreamLogout, limit }: UpstreamLogoutDeps): Router {
  const router = new Router()
  router.post('/upstream/:provider/backchannel-logout', limit('token'), formBody(), async (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    const { logout_token: token = '' } = formOf(ctx)
    try {
      if (token.length > MAX_TOKEN) throw new AppError('invalid_input')
      await upstreamLogout.end(String(ctx['params']['provider']), token)
      ctx.status = 200
      ctx.body = ''
    } catch (error) {
      refuse(ctx, error)
    }
  })
  return router
}

/** 503 if the provider's keys or our stores are away: it may tell again. */
function refuse(ctx: Context, error: unknown): void {
  if (!(error instanceof AppError) || error.status >= 500) {
    ctx.set('Retry-After', '5')
    throw error
  }
  ctx.status = 400
  ctx.body = { error: 'invalid_request', error_description: 'The logout token is not valid.' }
}
