import type { Context, Middleware } from 'koa'
import type { Problems } from '../../views/views.ts'
import { preciseProblems, textsOf } from '../form.ts'
import { refusable } from '../refusable.ts'
import { nameOfApp } from '../renderer.ts'
import { originOf } from '../state.ts'
import { type InteractionDeps, type Step, stepOf } from './interaction.ts'
import { leaveForm } from './leave.ts'
import { providerButtons } from './providers.ts'
import { offerOf } from './who-may-register.ts'

export function showSignUp(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const hint = step.interaction.params['login_hint']
    await render(ctx, deps, step, {
      name: '',
      email: typeof hint === 'string' ? hint.slice(0, 254) : '',
    })
  }
}

export function submitSignUp(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const { name, email, password } = textsOf(ctx, 'name', 'email', 'password')
    await refusable(
      ctx,
      async () => {
        const wanted = {
          name,
          email,
          password,
          locale: deps.renderer.locale(ctx),
          app: nameOfApp(step.app),
          clientId: step.app.client.clientId,
        }
        const { userId, tokenId } = await deps.signUp.start(wanted, originOf(ctx))
        deps.signUpFlow.write(ctx, { tokenId: userId, email: email.trim().slice(0, 254) })
        const { mfa: _before, ...state } = step.state
        await step.goOn({
          ...state,
          signUp: { userId, tokenId, email: email.trim() },
        })
      },
      (problems) =>
        render(ctx, deps, step, { name, email, problems: preciseProblems(problems, { email }) }),
    )
  }
}

async function render(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  shown: { name: string; email: string; problems?: Problems },
): Promise<void> {
  deps.renderer.page(
    ctx,
    'interaction/sign-up',
    {
      action: step.url('sign-up'),
      csrf: deps.csrf.token(ctx),
      signInHref: step.url('login'),
      registration: offerOf(deps, step),
      providers: await providerButtons(deps, step),
      leave: leaveForm(ctx, deps, step),
      ...shown,
    },
    step.app,
  )
}
