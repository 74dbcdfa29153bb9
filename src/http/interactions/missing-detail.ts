import type { Context, Middleware } from 'koa'
import { personName } from '../../accounts/person-name.ts'
import type { Problems } from '../../views/views.ts'
import { emailFault, emptyFault, refuseFaults, textsOf } from '../form.ts'
import { refusable } from '../refusable.ts'
import { termsBox, withTermsFault } from '../terms-box.ts'
import { type InteractionDeps, type Step, stepOf } from './interaction.ts'
import { leaveForm } from './leave.ts'
import { askCode, openFor } from './meeting.ts'
import { newcomerOf, type Waiter } from './newcomer.ts'
import { orLogin } from './upstream.ts'

/** What a provider did not say of a newcomer: the address, or the name. */
export function showMissingDetail(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const newcomer = await newcomerOf(deps, step)
    if (!newcomer) return step.startOver()
    // The provider said it, where the terms alone are asked for.
    const typed = asksAddress(newcomer)
      ? ''
      : (personName(newcomer.arrived.person.name ?? '') ?? '')
    render(ctx, deps, step, newcomer, { typed })
  }
}

export function submitMissingDetail(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const newcomer = await newcomerOf(deps, step)
    if (!newcomer) return step.startOver()
    const { email, name } = textsOf(ctx, 'email', 'name')
    const [typed, take] = asksAddress(newcomer) ? [email, takeAddress] : [name, takeName]
    const asked = () => take(ctx, deps, step, newcomer, typed)
    await refusable(
      ctx,
      () => orLogin(ctx, deps, step, newcomer.provider, asked),
      (problems) => render(ctx, deps, step, newcomer, { typed, problems }),
    )
  }
}

const asksAddress = ({ waiting }: Waiter): boolean => waiting.stage === 'address'

type Take = (
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  newcomer: Waiter,
  typed: string,
) => Promise<void>

const takeAddress: Take = async (ctx, deps, step, newcomer, typed) => {
  refuseFaults({ email: emailFault(typed) })
  const isSuspected = await deps.signUpTrap.suspects(ctx, step.uid)
  const asked = await askCode(ctx, deps, step, newcomer, { email: typed, isSuspected })
  await step.goOn({ arrival: { ...newcomer.waiting, stage: 'code', isSuspected, ...asked } })
}

const takeName: Take = async (ctx, deps, step, newcomer, typed) => {
  const name = personName(typed)
  refuseFaults({ name: emptyFault(typed) ?? (name === undefined ? 'invalid_name' : undefined) })
  const { email = '' } = newcomer.waiting
  await openFor(ctx, deps, step, newcomer, { name: name ?? '', email })
}

function render(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  newcomer: Waiter,
  { typed, problems }: { typed: string; problems?: Problems },
): void {
  const form = {
    action: step.url('arrival'),
    csrf: deps.csrf.token(ctx),
    leave: leaveForm(ctx, deps, step),
    problems: problems && withTermsFault(ctx, deps, problems),
  }
  const asked = {
    asks: asksAddress(newcomer) ? ('email' as const) : ('name' as const),
    typed,
    provider: newcomer.provider.name,
    email: newcomer.waiting.email,
    trap: deps.signUpTrap.fields(ctx, step.uid),
    terms: asksAddress(newcomer) ? undefined : termsBox(ctx, deps),
    otherWayHref: step.url('login'),
  }
  deps.renderer.page(ctx, 'interaction/arrival', { ...form, ...asked }, step.app)
}
