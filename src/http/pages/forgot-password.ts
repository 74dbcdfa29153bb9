import Router from '@koa/router'
import type { Context } from 'koa'
import { canonicalEmail } from '../../accounts/canonical-email.ts'
import type { Problems } from '../../views/views.ts'
import { preciseProblems, textsOf } from '../form.ts'
import { formBody } from '../middleware/body.ts'
import { refusable } from '../refusable.ts'
import { orRecover } from '../regain.ts'
import { seeOther } from '../see-other.ts'
import { originOf } from '../state.ts'
import { appOf, leftSignIn, signInOf } from './left-sign-in.ts'
import type { PasswordResetDeps } from './reset-password.ts'

/** Asks for a mail by which the password is reset. Answers alike for every address (UX-12). */
export function forgotPasswordRoutes(deps: PasswordResetDeps): Router {
  const { passwordReset, csrf, limit, flow, deviceCookie } = deps
  const router = new Router()
  router.use(orRecover(deps.signInPolicy))

  router.get('/forgot', (ctx) => seeOther(ctx, '/forgot-password'))
  router.get('/forgot-password', async (ctx) => {
    const { email, interaction } = ctx.query
    await showForgot(ctx, deps, {
      email: typeof email === 'string' ? email.slice(0, 254) : '',
      interaction: leftSignIn(ctx, interaction),
    })
  })
  router.post('/forgot-password', formBody(), csrf.guard, limit('forgot'), async (ctx) => {
    const sent = textsOf(ctx, 'email', 'interaction')
    const interaction = leftSignIn(ctx, sent.interaction)
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
  return router
}

async function showForgot(
  ctx: Context,
  deps: PasswordResetDeps,
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
    await appOf(deps.interactions, interaction),
  )
}
