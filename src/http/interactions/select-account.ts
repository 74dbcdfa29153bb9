import type { Middleware } from 'koa'
import { AppError } from '../../errors.ts'
import { seeOther } from '../see-other.ts'
import { formOf } from '../state.ts'
import { type InteractionDeps, stepOf } from './interaction.ts'
import { leaveForm } from './leave.ts'

export function showSelectAccount(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const accountId = step.interaction.session?.accountId
    const account = accountId ? await deps.accounts.findActive(accountId) : undefined
    if (!account) return step.startOver()
    deps.renderer.page(
      ctx,
      'interaction/select-account',
      {
        action: step.url('select-account'),
        csrf: deps.csrf.token(ctx),
        leave: leaveForm(ctx, deps, step),
        person: { name: account.name, email: account.email },
      },
      step.app,
    )
  }
}

export function submitSelectAccount(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const { choice } = formOf(ctx)
    if (choice === 'other') return seeOther(ctx, step.url('login'))
    if (choice !== 'continue' || !step.interaction.session?.accountId)
      throw new AppError('invalid_input')
    if (step.interaction.prompt.name === 'consent') return seeOther(ctx, step.url('consent'))
    if (step.interaction.prompt.name !== 'select_account') throw new AppError('invalid_input')
    seeOther(ctx, await deps.interactions.continueAs(step.interaction))
  }
}
