import type { Context, Middleware } from 'koa'
import compose from 'koa-compose'
import type { AuthorizationServer } from '../oidc/authorization-server.ts'
import { endpointOf } from '../oidc/endpoints.ts'
import type { KoaContextWithOIDC } from '../oidc/pages.ts'
import { param } from '../oidc/param.ts'
import { resumedIn } from '../oidc/starting-again.ts'
import { foreignForm } from '../views/views.ts'
import { setFormPostPolicy } from './middleware/security-headers.ts'
import type { AskingApp, Renderer } from './renderer.ts'
import { seeOther } from './see-other.ts'
import { noteSignIns } from './started-sign-ins.ts'

/** Hands the request to the provider that is current when it arrives. */
export function mountProvider(server: AuthorizationServer, renderer: Renderer): Middleware {
  let mounted: { provider: unknown; middleware: Middleware } | undefined
  return async (ctx, next) => {
    if (!endpointOf(ctx)) return next()
    const { provider } = server
    if (mounted?.provider !== provider)
      mounted = { provider, middleware: compose(provider.middleware) as Middleware }
    await mounted.middleware(ctx, next)
    if (isProvidersOwnPage(ctx)) presentFormPost(ctx, renderer, provider.issuer)
    else if (endpointOf(ctx)?.followsForm) leaveByPage(ctx, renderer, provider.issuer)
    const { oidc } = ctx as {
      oidc?: {
        session?: { destroyed?: boolean }
        entities?: { Interaction?: { uid: string } }
        client?: { clientId: string }
      }
    }
    const { uid = '' } = oidc?.entities?.Interaction ?? {}
    const { clientId } = oidc?.client ?? {}
    const hasBegun = clientId && ctx.response.get('location') === `/interaction/${uid}`
    noteSignIns(ctx, {
      begun: hasBegun ? { uid, clientId } : undefined,
      endedUid: ctx.status < 500 ? resumedIn(ctx)?.uid : undefined,
    })
    // The back button must not show what the person has signed out of (SE-05).
    if (oidc?.session?.destroyed) ctx.set('Clear-Site-Data', '"cache"')
  }
}

/**
 * All other pages are drawn by our renderer, which gives them a nonce; redirects have a body that
 * nobody sees.
 */
function isProvidersOwnPage(ctx: Context): boolean {
  const { response, state } = ctx
  const isPage = endpointOf(ctx)?.kind === 'page' && Boolean(response.is('html'))
  return isPage && !response.get('location') && state['nonce'] === undefined
}

/**
 * A form that sends itself, in our look; without JavaScript it has a button.
 * `response_mode=form_post` posts to the address of the app (AZ-06). A logout that needs no
 * question posts to ourselves, and from there the browser goes on to the app; one of nobody goes on
 * at once.
 */
function presentFormPost(ctx: Context, renderer: Renderer, issuer: string): void {
  const form = foreignForm(String(ctx.body))
  const { status } = ctx
  const isOurs = form.action.startsWith(`${issuer}/`)
  if (isOurs && !isAnybodySignedIn(ctx)) {
    goOnSignedOut(ctx, renderer)
    return
  }
  renderer.page(ctx, 'pages/form-post', { form }, isOurs ? appToReturnTo(ctx) : undefined)
  if (!isOurs) setFormPostPolicy(ctx)
  ctx.status = status
}

function isAnybodySignedIn(ctx: Context): boolean {
  return (ctx as { oidc?: KoaContextWithOIDC['oidc'] }).oidc?.session?.accountId !== undefined
}

/** There is nothing to end: back to the place that the app registered, or to our page that says so. */
function goOnSignedOut(ctx: Context, renderer: Renderer): void {
  const target = appToReturnTo(ctx)
  if (!target) {
    ctx.status = 200
    renderer.page(ctx, 'pages/signed-out', { signInHref: '/login' })
    return
  }
  const url = new URL(target.redirectUri)
  const state = param((ctx as { oidc?: KoaContextWithOIDC['oidc'] }).oidc?.params, 'state')
  if (state) url.searchParams.set('state', state)
  seeOther(ctx, state ? url.href : target.redirectUri)
}

/**
 * Chromium holds the `form-action` of the page with the form against every redirect that follows,
 * also those of the app: a redirect from here would leave the person on that page. So the way to
 * the app begins at a page of its own, which goes on by itself.
 */
function leaveByPage(ctx: Context, renderer: Renderer, issuer: string): void {
  const href = ctx.response.get('location')
  const target = URL.parse(href, issuer)
  if (!target || target.origin === issuer) return
  ctx.remove('Location')
  const { oidc } = ctx as { oidc?: KoaContextWithOIDC['oidc'] }
  const app = oidc?.client && { client: oidc.client, redirectUri: href.replace(/[?#].*$/s, '') }
  ctx.status = 200
  renderer.page(
    ctx,
    'pages/leaving',
    { href, isToProgram: !/^https?:$/.test(target.protocol) },
    app,
  )
}

function appToReturnTo(ctx: Context): AskingApp | undefined {
  const { oidc } = ctx as { oidc?: KoaContextWithOIDC['oidc'] }
  const redirectUri = param(oidc?.params, 'post_logout_redirect_uri')
  return oidc?.client && redirectUri ? { client: oidc.client, redirectUri } : undefined
}
