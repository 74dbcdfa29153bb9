import type { Context, Middleware } from 'koa'
import { z } from 'zod'
import { AppError } from '../../errors.ts'
import type { Problems } from '../../views.ts'
import { originOf, refusable } from '../refusable.ts'
import { nameOfApp } from '../renderer.ts'
import { seeOther } from '../see-other.ts'
import { type InteractionDeps, loadStep, type Step } from './interaction.ts'

const SignUpForm = z.object({ name: z.string().max(400), email: z.string().max(1024), password: z.string().max(4096) })

export function showSignUp(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = await loadStep(ctx, deps)
    const hint = step.interaction.params['login_hint']
    render(ctx, deps, step, { name: '', email: typeof hint === 'string' ? hint.slice(0, 254) : '' })
  }
}

export function submitSignUp(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = await loadStep(ctx, deps)
    const form = SignUpForm.safeParse(ctx.state['form'])
    await refusable(
      ctx,
      async () => {
        if (!form.success) throw new AppError('invalid_input', { fields: { email: 'invalid_email' } })
        const wanted = { ...form.data, locale: deps.renderer.locale(ctx), app: nameOfApp(step.app) }
        const { userId, tokenId } = await deps.signUp.start(wanted, originOf(ctx))
        deps.signUpFlow.write(ctx, { tokenId: userId, email: form.data.email.trim().slice(0, 254) })
        await deps.interactions.remember(step.interaction, { ...step.state, signUp: { userId, tokenId, email: form.data.email.trim() } })
        seeOther(ctx, step.url('verify-email'))
      },
      (problems) => render(ctx, deps, step, { name: form.data?.name ?? '', email: form.data?.email ?? '', problems: problems }),
    )
  }
}

function render(ctx: Context, deps: InteractionDeps, step: Step, shown: { name: string; email: string; problems?: Problems }): void {
  deps.renderer.page(
    ctx,
    'interaction/sign-up',
    { action: step.url('sign-up'), csrf: deps.csrf.token(ctx), signInHref: step.url('login'), ...shown },
    step.app,
  )
}
