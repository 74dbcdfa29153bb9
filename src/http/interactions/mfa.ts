import type { Context, Middleware } from 'koa'
import { z } from 'zod'
import { AppError } from '../../errors.ts'
import type { Problems } from '../../views.ts'
import { originOf, refusable } from '../refusable.ts'
import { seeOther } from '../see-other.ts'
import { totpProblems } from '../totp-problems.ts'
import { finishSignIn } from './finish.ts'
import { type InteractionDeps, loadStep, type Step } from './interaction.ts'

const CodeForm = z.object({ code: z.string().max(64), remember: z.literal('yes').optional() })

/** The step between the factors. Without a challenge of this very interaction there is nothing to see (TF-06). */
export function showMfa(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = await loadStep(ctx, deps)
    if (!step.state.mfa) return seeOther(ctx, step.url('login'))
    render(ctx, deps, step)
  }
}

export function submitMfa(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = await loadStep(ctx, deps)
    const { mfa } = step.state
    if (!mfa) return seeOther(ctx, step.url('login'))
    const form = CodeForm.safeParse(ctx.state['form'])
    await refusable(
      ctx,
      async () => {
        if (!form.success) throw new AppError('invalid_code')
        const answer = { challenge: mfa.challenge, binding: `interaction:${step.uid}`, code: form.data.code }
        const proven = await deps.mfa.verifyChallenge(answer, originOf(ctx))
        await finishSignIn(ctx, deps, step, { ...proven, isRemembered: form.data.remember === 'yes', hasSecondFactor: true })
      },
      (problems) => render(ctx, deps, step, problems),
    )
  }
}

function render(ctx: Context, deps: InteractionDeps, step: Step, problems?: Problems): void {
  const method = ctx.query['method'] === 'recovery' ? 'recovery' : 'totp'
  const own = method === 'recovery' ? '?method=recovery' : ''
  deps.renderer.page(
    ctx,
    'interaction/mfa',
    {
      action: `${step.url('mfa')}${own}`,
      csrf: deps.csrf.token(ctx),
      method,
      email: step.state.mfa?.email ?? '',
      otherMethodHref: method === 'recovery' ? step.url('mfa') : `${step.url('mfa')}?method=recovery`,
      startOverHref: `${step.url('login')}?account=other`,
      remember: step.state.mfa?.isRemembered,
      problems: method === 'totp' ? totpProblems(problems) : problems,
    },
    step.app,
  )
}
