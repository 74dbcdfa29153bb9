import type { Context, Middleware } from 'koa'
import { AppError } from '../../errors.ts'
import { param } from '../../oidc/param.ts'
import { refusalOf } from '../../upstream/arrivals.ts'
import { bindingTo } from '../../upstream/flows.ts'
import type { LiveProvider } from '../../upstream/providers.ts'
import type { UpstreamNotice } from '../../views/views.ts'
import { originOf } from '../state.ts'
import { type InteractionDeps, type Step, stepOf } from './interaction.ts'
import { findKnownPerson, isOther, OTHER } from './known-person.ts'
import { beginLogin } from './login.ts'
import { follow } from './meeting.ts'
import { offeredProvider } from './providers.ts'

/**
 * POST: away to a provider. The way there begins at a page, as the way to an app does: where the
 * provider sends people next is its own affair, and `form-action` is held against all of it.
 */
export function startUpstream(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const provider = await offeredProvider(deps, step, String(ctx['params']['provider']))
    if (!provider) throw new AppError('not_found')
    const hint = param(step.interaction.params, 'login_hint')
    await leaveTo(ctx, deps, step, { provider, hint })
  }
}

/** Away to a provider, which may be told whom we expect. */
export async function leaveTo(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  { provider, hint }: { readonly provider: LiveProvider; readonly hint: string },
): Promise<void> {
  await orLogin(ctx, deps, step, provider, async () => {
    const href = await deps.journeys.begin({
      provider,
      purpose: 'sign_in',
      binding: bindingTo('interaction', step.uid),
      browser: deps.upstreamCookie.keep(ctx),
      goOn: `${step.url('arrive')}${isOther(ctx) ? OTHER : ''}`,
      loginHint: hint === '' ? undefined : hint.slice(0, 254),
      again: isOther(ctx),
      maxAge: maxAgeOf(step),
      acrValues: param(step.interaction.params, 'acr_values') || undefined,
    })
    const model = { href, isToProgram: false, provider: provider.name }
    deps.renderer.page(ctx, 'pages/leaving', model, step.app)
  })
}

/** Back from a provider, by the redirect of the callback: what it leads to is decided here. */
export function arrive(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const binding = bindingTo('interaction', step.uid)
    const arrival = await deps.arrivals.find(String(ctx.query['of']), binding)
    if (!arrival) return step.startOver()
    const provider = await offeredProvider(deps, step, arrival.providerId)
    await orLogin(ctx, deps, step, provider, async () => {
      const { news } = arrival
      if ('failure' in news) throw refusalOf(news.failure)
      const { person } = news
      // It may have been disabled while the person was away (UP-05).
      if (!provider) throw new AppError('method_not_offered')
      const arrived = { id: arrival.id, providerId: provider.id, person }
      const meeting = await deps.meetings.meet(provider.id, person, originOf(ctx))
      const known = await findKnownPerson(ctx, deps, step)
      if (known?.isFixed && (meeting.kind !== 'known' || meeting.account.id !== known.accountId))
        throw new AppError('invalid_credentials')
      await follow(ctx, deps, step, { provider, arrived, known }, meeting)
    })
  }
}

/** How old the sign-in over there may be. The engine turns `max_age=0` into a prompt. */
function maxAgeOf({ interaction: { params, prompt } }: Step): number | undefined {
  if (prompt.reasons.includes('login_prompt')) return 0
  const { max_age: asked } = params
  return asked === undefined ? undefined : Number(asked)
}

/** Whatever goes wrong on the way ends on the sign-in page, which has other ways. */
export async function orLogin(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  provider: Pick<LiveProvider, 'name'> | undefined,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    const kind = error instanceof AppError ? noticeOf(error) : undefined
    if (!(error instanceof AppError) || !kind) throw error
    const { retryAfterSeconds } = error.details
    if (retryAfterSeconds) ctx.set('Retry-After', String(retryAfterSeconds))
    ctx.status = error.status
    const { arrival: _over, came: _gone, ...state } = step.state
    await deps.interactions.remember(step.interaction, state)
    await beginLogin(ctx, deps, { ...step, state }, { kind, provider: provider?.name ?? '' })
  }
}

function noticeOf({ code, details }: AppError): UpstreamNotice['kind'] | undefined {
  return details.fields?.['email'] === 'not_invited' ? 'notInvited' : NOTICES[code]
}

const NOTICES: Readonly<Partial<Record<AppError['code'], UpstreamNotice['kind']>>> = {
  upstream_cancelled: 'cancelled',
  upstream_unavailable: 'unavailable',
  upstream_invalid: 'invalid',
  method_not_offered: 'off',
  invalid_credentials: 'refused',
  registration_closed: 'closed',
  invalid_invitation: 'closed',
  identity_taken: 'taken',
  conflict: 'again',
  interaction_expired: 'again',
}
