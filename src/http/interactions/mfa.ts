import type { Context, Middleware } from 'koa'
import type { Problems } from '../../views/views.ts'
import { emptyFault, refuseFaults, textsOf } from '../form.ts'
import { refusable } from '../refusable.ts'
import { originOf } from '../state.ts'
import { totpProblems } from '../totp-problems.ts'
import { finishSignIn } from './finish.ts'
import { bindingOf, type InteractionDeps, type Step, stepOf } from './interaction.ts'
import { leaveForm } from './leave.ts'

/**
 * The step between the factors. Without a challenge of this very interaction there is nothing to
 * see (TF-06).
 */
export function showMfa(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    render(ctx, deps, step, step.state.mfa?.isRemembered === true)
  }
}

export function submitMfa(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const { mfa } = step.state
    if (!mfa) return step.startOver()
    const { code, remember } = textsOf(ctx, 'code', 'remember')
    const isRemembered = remember === 'yes'
    await refusable(
      ctx,
      async () => {
        refuseFaults({ code: emptyFault(code) })
        const answer = { challenge: mfa.challenge, binding: bindingOf(step), code }
        await deps.secondStep.answer(answer, originOf(ctx), (proven) =>
          finishSignIn(ctx, deps, step, { ...proven, isRemembered }),
        )
      },
      (problems) => render(ctx, deps, step, isRemembered, problems),
    )
  }
}

function render(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  remember: boolean,
  problems?: Problems,
): void {
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
      otherMethodHref:
        method === 'recovery' ? step.url('mfa') : `${step.url('mfa')}?method=recovery`,
      startOverHref: `${step.url('login')}?account=other`,
      leave: leaveForm(ctx, deps, step),
      remember,
      problems: method === 'totp' ? totpProblems(problems) : problems,
    },
    step.app,
  )
}
