import Router from '@koa/router'
import type { Context } from 'koa'
import type { Invitations } from '../../accounts/registration/invitations.ts'
import { AppError } from '../../errors.ts'
import type { WayBack } from '../../oidc/starting-again.ts'
import type { Cookie } from '../cookies.ts'
import { maskedEmail } from '../masked-email.ts'
import { formBody } from '../middleware/body.ts'
import type { Csrf } from '../middleware/csrf.ts'
import type { RateLimit } from '../middleware/rate-limit.ts'
import type { Renderer } from '../renderer.ts'
import { seeOther } from '../see-other.ts'

export interface InvitationPageDeps {
  readonly invitations: Invitations
  readonly interactions: {
    wayBack(started: { uid: string; clientId: string }): Promise<WayBack | undefined>
  }
  readonly renderer: Renderer
  readonly csrf: Csrf
  readonly limit: RateLimit
  readonly invitationCookie: Cookie
}

/**
 * Where an invitation lands: a GET looks, the button leaves the invitation with this browser, and
 * only the account that is made spends it (EM-04).
 */
export function invitationRoutes(deps: InvitationPageDeps): Router {
  const { invitations, interactions, renderer, csrf, limit, invitationCookie } = deps
  const router = new Router()

  router.get('/invitation', csrf.pagesOnly, limit('verify'), async (ctx) => {
    const secret = secretOf(ctx.query['token'])
    const { email, isMailed } = await invitations.peek(secret)
    renderer.page(ctx, 'pages/invitation', {
      action: '/invitation',
      csrf: csrf.token(ctx),
      hidden: { token: secret },
      email: email == null ? undefined : isMailed ? email : maskedEmail(email),
    })
  })

  router.post('/invitation', formBody(), csrf.guard, limit('verify'), async (ctx) => {
    const secret = secretOf(ctx.state.form?.['token'])
    const invitation = await invitations.peek(secret)
    if (await invitations.isRegistered(invitation))
      return renderer.page(ctx, 'pages/message', {
        kind: 'already_registered',
        actions: [{ href: '/login', label: 'sign_in' }],
      })
    invitationCookie.write(ctx, secret)
    await goOn(ctx, invitation.clientId ?? undefined)
  })

  /** To the app that the person was invited to, where it begins; otherwise to the account area. */
  async function goOn(ctx: Context, clientId: string | undefined): Promise<void> {
    const app =
      clientId === undefined ? undefined : await interactions.wayBack({ uid: 'none', clientId })
    if (app?.home === undefined) return seeOther(ctx, '/signup')
    renderer.page(ctx, 'pages/leaving', { href: app.home, isToProgram: false }, app)
  }
  return router
}

function secretOf(token: unknown): string {
  if (typeof token !== 'string' || token === '' || token.length > 128)
    throw new AppError('invalid_invitation')
  return token
}
