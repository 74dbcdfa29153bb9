import type { Context, Middleware } from 'koa'
import { AppError } from '../../errors.ts'
import { isBuiltIn } from '../../oidc/clients/built-in-clients.ts'
import type { Problems } from '../../views/views.ts'
import { refusable } from '../refusable.ts'
import { seeOther } from '../see-other.ts'
import { originOf } from '../state.ts'
import { termsBox, tickedTerms, withTermsFault } from '../terms-box.ts'
import { type InteractionDeps, type Step, stepOf } from './interaction.ts'

/** The terms have another version than the one that the person has accepted, if any. */
export function showTerms(deps: InteractionDeps): Middleware {
  return (ctx) => ask(ctx, deps, stepOf(ctx))
}

export function submitTerms(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    await refusable(
      ctx,
      async () => {
        const accepted = { version: tickedTerms(ctx) ?? '', locale: deps.renderer.locale(ctx) }
        await deps.acceptances.accept(accountOf(step), accepted, originOf(ctx))
        seeOther(ctx, await deps.interactions.passTerms(step.interaction))
      },
      (problems) => ask(ctx, deps, step, withTermsFault(ctx, deps, problems)),
    )
  }
}

/**
 * The app gets no answer, and whatever the person has with other apps stays. Their own account is
 * theirs to take along or to delete, whatever they accept.
 */
export function declineTerms({ interactions }: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    accountOf(step)
    const { interaction } = step
    const next = isOwnArea(step)
      ? interactions.passTerms(interaction)
      : interactions.deny(interaction)
    seeOther(ctx, await next)
  }
}

function accountOf({ interaction: { prompt, session } }: Step): string {
  if (prompt.name !== 'terms' || !session?.accountId) throw new AppError('interaction_expired')
  return session.accountId
}

const isOwnArea = ({ app }: Step): boolean => isBuiltIn(app.client.clientId)

async function ask(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  problems?: Problems,
): Promise<void> {
  const terms = termsBox(ctx, deps)
  const account = await deps.accounts.findActive(accountOf(step))
  if (!account) throw new AppError('interaction_expired')
  // The operator has taken them back.
  if (!terms) return seeOther(ctx, await deps.interactions.passTerms(step.interaction))
  const csrf = deps.csrf.token(ctx)
  const action = step.url('terms')
  deps.renderer.page(
    ctx,
    'interaction/terms',
    {
      action,
      csrf,
      problems,
      terms,
      person: { name: account.name, email: account.email },
      decline: { action: `${action}/decline`, csrf },
      isOwnArea: isOwnArea(step),
    },
    step.app,
  )
}
