import type { Context, Middleware } from 'koa'
import type { LiveProvider } from '../../upstream/providers.ts'
import { textsOf } from '../form.ts'
import { type InteractionDeps, type Step, stepOf } from './interaction.ts'
import { findKnownPerson } from './known-person.ts'
import { submitLogin } from './login.ts'
import { leaveTo } from './upstream.ts'

/**
 * POST: the first factor, but for people whose domain signs in elsewhere. They are sent there
 * whatever was typed as a password: nothing of it is judged, counted or logged.
 */
export const submitLoginOrLeave = (deps: InteractionDeps): Middleware =>
  orLeave(deps, submitLogin(deps))

/** What an address is posted for, unless its people sign in elsewhere. */
export function orLeave(deps: InteractionDeps, submit: Middleware): Middleware {
  return async (ctx, next) => {
    const step = stepOf(ctx)
    const away = await enforcing(ctx, deps, step)
    return away ? leaveTo(ctx, deps, step, away) : submit(ctx, next)
  }
}

async function enforcing(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
): Promise<{ provider: LiveProvider; hint: string } | undefined> {
  if (!(await deps.providers.enforceAny())) return undefined
  const known = await findKnownPerson(ctx, deps, step)
  const hint = known?.isFixed ? known.email : textsOf(ctx, 'username').username
  const provider = await deps.providers.enforcing(hint)
  // Who came from there proves here whose the account is, to connect it.
  const { arrival } = step.state
  const isBack = arrival?.stage === 'connect' && arrival.providerId === provider?.id
  return provider && !isBack ? { provider, hint } : undefined
}
