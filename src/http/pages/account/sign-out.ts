import type { Context, Middleware } from 'koa'
import type { Sessions } from '../../../accounts/sessions/sessions.ts'
import type { Config } from '../../../config/config.ts'
import type { AuthorizationServer } from '../../../oidc/authorization-server.ts'
import { findBrowserSession } from '../../../oidc/browser-session.ts'
import { cookieNames } from '../../../oidc/configuration.ts'
import { createNamedCookie } from '../../cookies.ts'
import { seeOther } from '../../see-other.ts'

export interface SignOutDeps {
  readonly config: Config
  readonly authorizationServer: AuthorizationServer
  readonly sessions: Sessions
}

/**
 * Ends this sign-in and nothing else, at the server first and then in the browser (SE-05). Pressing
 * it twice does no harm.
 */
export function signOut({ config, authorizationServer, sessions }: SignOutDeps): Middleware {
  return async (ctx) => {
    const browser = await findBrowserSession(authorizationServer.provider, ctx, config.lifetimes)
    if (browser) await sessions.endSession(browser.id, 'sign_out')
    forgetBrowser(ctx, config.issuer)
    seeOther(ctx, '/signed-out')
  }
}

/** Only in answer to a POST with a token of ours: a link must not be able to wipe a browser. */
export function forgetBrowser(ctx: Context, issuer: string): void {
  createNamedCookie(cookieNames(issuer).session, { isSigned: true }).write(ctx, null)
  ctx.set('Clear-Site-Data', '"cache"')
}
