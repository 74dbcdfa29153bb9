import Router from '@koa/router'
import type { Context } from 'koa'
import { canonicalEmail } from '../../accounts/canonical-email.ts'
import type { PasswordReset } from '../../accounts/passwords/password-reset.ts'
import type { Interactions } from '../../oidc/interactions.ts'
import type { NoticeKind, Problems } from '../../views/views.ts'
import type { DeviceCookie } from '../device-cookie.ts'
import { codeFault, preciseProblems, refuseFaults, textsOf } from '../form.ts'
import { formBody } from '../middleware/body.ts'
import type { Csrf } from '../middleware/csrf.ts'
import type { RateLimit } from '../middleware/rate-limit.ts'
import { refusable } from '../refusable.ts'
import type { AskingApp, Renderer } from '../renderer.ts'
import { RESEND_SECONDS } from '../resend.ts'
import { seeOther } from '../see-other.ts'
import { originOf } from '../state.ts'
import type { FlowCookie } from './flow-cookie.ts'

export interface ForgotPasswordDeps {
  readonly passwordReset: PasswordReset
  readonly interactions: Interactions
  readonly renderer: Renderer
  readonly csrf: Csrf
  readonly limit: RateLimit
  /** Keeps which reset this browser has begun: the token's id and the address, no secret. */
  readonly flow: FlowCookie
  readonly deviceCookie: DeviceCookie
}

/**
 * Forgot password asks for a mail; reset password performs, by the mailed code or link. Both answer
 * alike for every address (UX-12).
 */
export function forgotPasswordRoutes(deps: ForgotPasswordDeps): Router {
  const { passwordReset, renderer, csrf, limit, flow, deviceCookie } = deps
  const router = new Router()
  const form = [formBody(), csrf.guard] as const

  router.get('/forgot', (ctx) => seeOther(ctx, '/forgot-password'))
  router.get('/forgot-password', async (ctx) => {
    const { email, interaction } = ctx.query
    await showForgot(ctx, deps, {
      email: typeof email === 'string' ? email.slice(0, 254) : '',
      interaction: interactionOf(interaction),
    })
  })
  router.post('/forgot-password', ...form, limit('forgot'), async (ctx) => {
    const sent = textsOf(ctx, 'email', 'interaction')
    const interaction = interactionOf(sent.interaction)
    await refusable(
      ctx,
      async () => {
        const { tokenId } = await passwordReset.request(sent.email, originOf(ctx), {
          device: deviceCookie.read(ctx),
        })
        flow.write(ctx, { tokenId, email: canonicalEmail(sent.email) ?? '', interaction })
        seeOther(ctx, '/reset-password')
      },
      (problems) =>
        showForgot(ctx, deps, {
          email: sent.email,
          interaction,
          problems: preciseProblems(problems, sent),
        }),
    )
  })

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
          await appOf(deps, begun?.interaction),
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

/**
 * A sign-in to an app that was left to come here, so that it can go on afterwards; its own cookie
 * says whether it is this browser's.
 */
function interactionOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w-]{1,64}$/.test(value) ? value : undefined
}

function signInOf(interaction: string | undefined): string {
  return interaction ? `/interaction/${interaction}/login` : '/login'
}

/** UX-30: the app that the person is on the way to stays in sight. */
async function appOf(
  { interactions }: ForgotPasswordDeps,
  interaction: string | undefined,
): Promise<AskingApp | undefined> {
  return interaction ? interactions.askingApp(interaction) : undefined
}

async function showForgot(
  ctx: Context,
  deps: ForgotPasswordDeps,
  {
    email,
    interaction,
    problems,
  }: { email: string; interaction: string | undefined; problems?: Problems },
): Promise<void> {
  const shown = {
    email,
    problems,
    hidden: interaction ? { interaction } : undefined,
    signInHref: signInOf(interaction),
  }
  const form = { action: '/forgot-password', csrf: deps.csrf.token(ctx) }
  deps.renderer.page(
    ctx,
    'pages/forgot-password',
    { ...form, ...shown },
    await appOf(deps, interaction),
  )
}

interface ShownReset {
  readonly email: string
  readonly token?: string
  readonly code?: string
  readonly interaction?: string | undefined
  readonly notice?: NoticeKind
  readonly problems?: Problems
}

async function showReset(ctx: Context, deps: ForgotPasswordDeps, shown: ShownReset): Promise<void> {
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
    await appOf(deps, interaction),
  )
}
