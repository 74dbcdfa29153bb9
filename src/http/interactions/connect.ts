import type { Middleware } from 'koa'
import { shownBy } from '../../accounts/shown-sign-in.ts'
import { AppError } from '../../errors.ts'
import { formOf, originOf } from '../state.ts'
import { findProven, finishSignIn } from './finish.ts'
import { type InteractionDeps, type Step, stepOf } from './interaction.ts'
import { provenBy } from './kept-proof.ts'
import { leaveForm } from './leave.ts'
import { newcomerOf, withoutArrival } from './newcomer.ts'
import { orLogin } from './upstream.ts'

export function showConnect(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const newcomer = await newcomerOf(deps, step)
    const account = newcomer && (await findProven(deps, provenBy(newcomer.waiting.proven)))
    if (!newcomer || !account) return step.startOver()
    const { person } = newcomer.arrived
    deps.renderer.page(
      ctx,
      'interaction/connect',
      {
        action: step.url('connect'),
        csrf: deps.csrf.token(ctx),
        provider: newcomer.provider.name,
        person: { name: account.name, email: account.email },
        identity: person.email ?? person.name,
        leave: leaveForm(ctx, deps, step),
      },
      step.app,
    )
  }
}

/** The press that connects, or the one that goes on without; both sign in who has proven it. */
export function submitConnect(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const { decision } = formOf(ctx)
    if (decision !== 'connect' && decision !== 'skip') throw new AppError('invalid_input')
    const newcomer = await newcomerOf(deps, step)
    const proven = provenBy(newcomer?.waiting.proven)
    if (!newcomer || !proven || !(await findProven(deps, proven))) return goWithout(deps, step)
    await orLogin(ctx, deps, step, newcomer.provider, async () => {
      if (decision === 'connect')
        await deps.joining.connect(newcomer.arrived, shownBy(proven), originOf(ctx))
      else await deps.arrivals.discard(newcomer.arrived.id)
      await finishSignIn(ctx, deps, withoutArrival(step), proven)
    })
  }
}

/** POST: back to the ordinary sign-in; what came by the provider is dropped. */
export function skipConnecting(deps: InteractionDeps): Middleware {
  return (ctx) => goWithout(deps, stepOf(ctx))
}

async function goWithout(deps: InteractionDeps, step: Step): Promise<void> {
  if (step.state.arrival) await deps.arrivals.discard(step.state.arrival.id)
  await step.goOn(withoutArrival(step).state)
}
