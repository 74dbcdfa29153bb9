import type { Context, Middleware } from 'koa'
import { canonicalEmail } from '../../accounts/canonical-email.ts'
import type { LiveProvider } from '../../upstream/providers.ts'
import { textsOf } from '../form.ts'
import { type InteractionDeps, type Step, stepOf } from './interaction.ts'
import { type Asking, whoAsks } from './known-person.ts'
import { renderLogin, submitLogin } from './login.ts'
import { offeredProvider } from './providers.ts'
import { submitSignUp } from './sign-up.ts'
import { leaveTo } from './upstream.ts'

type Submit = (ctx: Context, deps: InteractionDeps, step: Step, asking: Asking) => Promise<void>

/**
 * POST: what an address is typed for, but for people whose domain signs in elsewhere. They are sent
 * there whatever was typed as a password: nothing of it is judged, counted or logged.
 */
export function orLeave(deps: InteractionDeps, submit: Submit): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const asking = await whoAsks(ctx, deps, step)
    const provider = await deps.providers.enforcing(asking.email)
    if (provider && !isBackFrom(provider, step, asking))
      await lead(ctx, deps, step, provider, asking)
    else await submit(ctx, deps, step, asking)
  }
}

export const submitLoginOrLeave = (deps: InteractionDeps): Middleware => orLeave(deps, submitLogin)

/** The same for a new account, which they get by coming from there. */
export function submitSignUpOrLeave(deps: InteractionDeps): Middleware {
  const submit = submitSignUp(deps)
  return async (ctx, next) => {
    const { email } = textsOf(ctx, 'email')
    const provider = await deps.providers.enforcing(email)
    if (provider) await lead(ctx, deps, stepOf(ctx), provider, { email, known: undefined })
    else await submit(ctx, next)
  }
}

/** Who came from there proves here whose the account is, to connect it. */
function isBackFrom(
  { id }: LiveProvider,
  { state: { arrival } }: Step,
  { email }: Asking,
): boolean {
  return (
    arrival?.stage === 'connect' &&
    arrival.providerId === id &&
    arrival.email === canonicalEmail(email)
  )
}

/** Where the app does not take people from there, that is said: there is no other way for them. */
async function lead(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  provider: LiveProvider,
  { email, known }: Asking,
): Promise<void> {
  if (await offeredProvider(deps, step, provider.id))
    return leaveTo(ctx, deps, step, { provider, hint: email })
  ctx.status = 403
  const upstream = { kind: 'notHere', provider: provider.name } as const
  await renderLogin(ctx, deps, step, { email, known, upstream })
}
