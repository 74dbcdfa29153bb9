import Router from '@koa/router'
import type { AuthorizationServer } from '../../oidc/authorization-server.ts'
import { ACCOUNT_CLIENT_ID } from '../../oidc/clients/built-in-clients.ts'
import type { Renderer } from '../renderer.ts'
import { seeOther } from '../see-other.ts'
import { switchLocale } from './preferences.ts'
import { authorizationUrl, safeReturnPath, wishOf } from './sign-in.ts'

export interface PageDeps {
  readonly issuer: string
  readonly authorizationServer: AuthorizationServer
  readonly renderer: Renderer
}

/** Pages that stand on their own, without an authorization request (UX-33). */
export function pageRoutes({ issuer, authorizationServer, renderer }: PageDeps): Router {
  const router = new Router()

  router.get('/', (ctx) => seeOther(ctx, '/account'))
  router.get('/login', (ctx) => seeOther(ctx, authorizationUrl(wishOf(ctx, issuer))))
  router.get('/signup', (ctx) =>
    seeOther(ctx, authorizationUrl({ ...wishOf(ctx, issuer), prompt: 'create' })),
  )
  router.get('/signed-out', (ctx) =>
    renderer.page(ctx, 'pages/signed-out', { signInHref: '/login' }),
  )
  router.get('/locale', (ctx) => switchLocale(ctx, { issuer, renderer }))
  router.get('/.well-known/change-password', (ctx) => seeOther(ctx, '/account/password'))

  router.get('/account/callback', async (ctx) => {
    const code =
      typeof ctx.query['code'] === 'string'
        ? await authorizationServer.provider.AuthorizationCode.find(ctx.query['code'])
        : undefined
    if (code?.clientId === ACCOUNT_CLIENT_ID) await code.destroy()
    seeOther(ctx, safeReturnPath(ctx.query['state']))
  })
  return router
}
