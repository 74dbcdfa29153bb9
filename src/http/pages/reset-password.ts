import Router from '@koa/router'
import type { Context } from 'koa'
import type { SignInPolicy } from '../../accounts/factors/sign-in-policy.ts'
import type { PasswordReset } from '../../accounts/passwords/password-reset.ts'
import type { Interactions } from '../../oidc/interactions.ts'
import type { NoticeKind, Problems } from '../../views/views.ts'
import type { DeviceCookie } from '../device-cookie.ts'
import { codeFault, refuseFaults, textsOf } from '../form.ts'
import { formBody } from '../middleware/body.ts'
import type { Csrf } from '../middleware/csrf.ts'
import type { RateLimit } from '../middleware/rate-limit.ts'
import { refusable } from '../refusable.ts'
import { orRecover } from '../regain.ts'
import type { Renderer } from '../renderer.ts'
import { RESEND_SECONDS } from '../resend.ts'
import { seeOther } from '../see-other.ts'
import { originOf } from '../state.ts'
import type { FlowCookie } from './flow-cookie.ts'
import { appOf, signInOf } from './left-sign-in.ts'

export interface PasswordResetDeps {
  readonly passwordReset: PasswordReset
  readonly signInPolicy: SignInPolicy
  readonly interactions: Interactions
  readonly renderer: Renderer
  readonly csrf: Csrf
  readonly limit: RateLimit
  /** Keeps which reset this browser has begun: the token's id and the address, no secret. */
  readonly flow: FlowCookie
  readonly deviceCookie: DeviceCookie
}

/** Performs it, by the mailed code or link. */
export function resetPasswordRoutes(deps: PasswordResetDeps): Router {
  const { passwordReset, renderer, csrf, limit, flow, deviceCookie } = deps
  const router = new Router()
  router.use(orRecover(deps.signInPolicy))
  const form = [formBody(), csrf.guard] as const

  router.get('/reset-password', async (ctx) => {
    const { token } = ctx.query
    if (typeof token === 'string') {
      const { address } = await passwordReset.peekLink(token.slice(0, 128))
      return showReset(ctx, deps, { email: address, token })
    }
    const begun = flow.read(ctx)
    if (!begun) return seeOther(ctx, '/forgot-password')
    await showReset(ctx, deps, {
      ...begun,
      ...(ctx.query['sent'] === '1' ? { notice: 'code_sent' } : {}),
    })
  })
  router.post('/reset-password', ...form, limit('verify'), async (ctx) => {
    const { token, code, password } = textsOf(ctx, 'token', 'code', 'password')
    const begun = flow.read(ctx)
    if (!token && !begun) return seeOther(ctx, '/forgot-password')
    const email = token
      ? (await passwordReset.peekLink(token.slice(0, 128))).address
      : (begun?.email ?? '')
    await refusable(
      ctx,
      async () => {
        refuseFaults({
          code: token ? undefined : codeFault(code),
          password: passwordReset.faultOf(password, email),
        })
        if (token) await passwordReset.completeByLink({ secret: token, password }, originOf(ctx))
        else if (begun)
          await passwordReset.completeByCode({ ...begun, code, password }, originOf(ctx))
        flow.clear(ctx)
        const actions = [{ href: signInOf(begun?.interaction), label: 'sign_in' as const }]
        renderer.page(
          ctx,
          'pages/message',
          { kind: 'password_reset', actions },
          await appOf(deps.interactions, begun?.interaction),
        )
      },
      (problems) =>
        showReset(ctx, deps, {
          email,
          code,
          problems,
          interaction: begun?.interaction,
          ...(token ? { token } : {}),
        }),
    )
  })
  router.get('/reset-password/resend', (ctx) => seeOther(ctx, '/reset-password'))
  router.post('/reset-password/resend', ...form, limit('resend'), async (ctx) => {
    const begun = flow.read(ctx)
    if (!begun) return seeOther(ctx, '/forgot-password')
    const { tokenId } = await passwordReset.request(begun.email, originOf(ctx), {
      device: deviceCookie.read(ctx),
      page: begun.tokenId,
    })
    flow.write(ctx, { ...begun, tokenId })
    seeOther(ctx, '/reset-password?sent=1')
  })
  return router
}

interface ShownReset {
  readonly email: string
  readonly token?: string
  readonly code?: string
  readonly interaction?: string | undefined
  readonly notice?: NoticeKind
  readonly problems?: Problems
}

async function showReset(ctx: Context, deps: PasswordResetDeps, shown: ShownReset): Promise<void> {
  const { email, token, code, interaction, notice, problems } = shown
  const csrf = deps.csrf.token(ctx)
  const byCode = {
    resend: {
      action: '/reset-password/resend',
      csrf,
      availableInSeconds: problems ? 0 : RESEND_SECONDS,
    },
    startOverHref: interaction ? `/forgot-password?interaction=${interaction}` : '/forgot-password',
  }
  const page = {
    action: '/reset-password',
    csrf,
    email,
    asksCode: token === undefined,
    code,
    notice,
    problems,
  }
  const way = token === undefined ? byCode : { hidden: { token } }
  deps.renderer.page(
    ctx,
    'pages/reset-password',
    { ...page, ...way },
    await appOf(deps.interactions, interaction),
  )
}
