import type { Context } from 'koa'
import { isUnavailable } from '../database/database.ts'
import type { ErrorCode } from '../errors.ts'
import { ENDPOINTS, isForProgram } from '../oidc/endpoints.ts'
import { isOwnSignOut } from '../oidc/keys/hints.ts'
import type { KoaContextWithOIDC, ProviderPages } from '../oidc/pages.ts'
import { param } from '../oidc/param.ts'
import { findWayBack, type WayBack } from '../oidc/starting-again.ts'
import type { ForeignForm } from '../views/views.ts'
import type { AskingApp, Renderer } from './renderer.ts'
import { startedBy } from './started-sign-ins.ts'
import { wayOn } from './way-on.ts'

/** The provider's own pages in our look. */
export function createProviderPages(renderer: Renderer): ProviderPages {
  return {
    async error(ctx, out, error) {
      const page = ctx as Context
      if (isForProgram(page)) {
        page.body = out
        return
      }
      const status = isUnavailable(error)
        ? 503
        : ((error as { statusCode?: number }).statusCode ?? 500)
      const code = codeFor(error, status)
      const back = code === 'interaction_expired' ? await wayBackFrom(page, ctx) : undefined
      const model = {
        code,
        wayOn: wayOn(code, page.path, { back }),
        requestId: page.state.requestId,
        protocol: {
          error: out.error,
          description: status < 500 ? out.error_description : undefined,
        },
      }
      renderer.page(page, 'pages/error', model, back)
    },
    confirmLogout(ctx, form) {
      if (isOwnSignOut(ctx)) {
        ctx.body = form.replace(
          '</form>',
          '<input type="hidden" name="logout" value="yes"/></form>',
        )
        return
      }
      renderer.page(ctx, 'pages/sign-out', { form: logoutForm(form) }, appOf(ctx))
    },
    loggedOut(ctx) {
      renderer.page(ctx, 'pages/signed-out', { signInHref: '/login' })
    },
  }
}

/** Of a sign-in that cannot be resumed. */
async function wayBackFrom(
  page: Context,
  { oidc }: KoaContextWithOIDC,
): Promise<WayBack | undefined> {
  const uid = page.path.slice(page.path.lastIndexOf('/') + 1)
  const clientId = startedBy(page, uid)
  return clientId === undefined
    ? undefined
    : findWayBack(oidc.provider, { uid, clientId }).catch(() => undefined)
}

/** The app whose logout this is, with the place that the confirmed form will redirect to. */
function appOf({ oidc }: KoaContextWithOIDC): AskingApp | undefined {
  if (!oidc.client) return undefined
  return { client: oidc.client, redirectUri: param(oidc.params, 'post_logout_redirect_uri') }
}

/** The form that the provider made, taken apart: its one-time token is url-safe and needs no unescaping. */
function logoutForm(html: string): ForeignForm {
  const xsrf = /name="xsrf" value="([\w-]+)"/.exec(html)?.[1] ?? ''
  return { action: ENDPOINTS.endSessionConfirm.path, fields: { xsrf } }
}

/** The provider's error in our catalogue: what the person reads. */
function codeFor(error: Error, status: number): ErrorCode {
  if (error.name === 'SessionNotFound') return 'interaction_expired'
  if (status >= 500) return status === 503 ? 'unavailable' : 'internal_error'
  return 'invalid_input'
}
