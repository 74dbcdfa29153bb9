import type { Context, Middleware } from 'koa'
import { shownBy } from '../../accounts/shown-sign-in.ts'
import type { InteractionState } from '../../oidc/interaction-state.ts'
import type { Problems } from '../../views/views.ts'
import { textsOf } from '../form.ts'
import { Registration, readCredential } from '../passkey-credential.ts'
import { refusable } from '../refusable.ts'
import { originOf } from '../state.ts'
import { enter, findProven, finishSignIn } from './finish.ts'
import { bindingOf, type InteractionDeps, type Proven, type Step, stepOf } from './interaction.ts'
import { provenBy } from './kept-proof.ts'
import { leaveForm } from './leave.ts'
import { renderCodes } from './mfa-enrol.ts'
import type { Offer } from './passkey-due.ts'

/** A passkey that is offered once after a sign-in, or that the sign-in lacks. */
export function showPasskeyOffer(deps: InteractionDeps): Middleware {
  return (ctx) => render(ctx, deps, stepOf(ctx))
}

/** Making one counts as showing it: what keeps it has just verified its person. */
export function submitPasskeyOffer(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const found = await provenOffer(deps, step)
    if (!found) return step.startOver()
    const { offer, proven } = found
    let refused: Problems | undefined
    await refusable(
      ctx,
      async () => {
        const { credential } = textsOf(ctx, 'credential')
        const made = {
          accountId: offer.accountId,
          credential: readCredential(Registration, credential),
          binding: bindingOf(step),
          purpose: 'passkey',
          shown: shownBy(proven),
        } as const
        const { method, recoveryCodes } = await deps.passkeys.register(made, originOf(ctx))
        const shown = { ...proven, proofs: [...proven.proofs, method] }
        if (recoveryCodes.length === 0) return finishSignIn(ctx, deps, step, shown)
        const methods = [...offer.methods, method.id]
        await deps.interactions.remember(step.interaction, {
          ...step.state,
          offer: { ...offer, methods, isDone: true },
        })
        renderCodes(ctx, deps, step, recoveryCodes)
      },
      (problems) => {
        refused = problems
      },
    )
    if (refused) await render(ctx, deps, step, refused)
  }
}

/** "Not now": it is not offered again on this device for a while. */
export function declinePasskeyOffer(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const found = await provenOffer(deps, step)
    if (!found || !mayDecline(step, found.offer)) return step.startOver()
    const { proven, offer } = found
    // What a sign-in must be has not been asked yet of a new account.
    if (offer.isFirst) return finishSignIn(ctx, deps, step, proven)
    const device = await enter(ctx, deps, step, proven)
    await deps.devices.declinePasskey(proven.accountId, device)
  }
}

/** A new account needs a way in, unless its address is one. */
function mayDecline({ offers }: Step, { isRequired, isFirst }: Offer): boolean {
  return !isRequired && (!isFirst || offers('email-code'))
}

async function provenOffer(
  deps: InteractionDeps,
  { state: { offer } }: Step,
): Promise<{ offer: Offer; proven: Proven } | undefined> {
  const proven = offer && !offer.isDone ? provenBy(offer) : undefined
  return offer && proven && (await findProven(deps, proven)) ? { offer, proven } : undefined
}

async function render(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  problems?: Problems,
): Promise<void> {
  const { offer } = step.state
  const account = offer && (await findProven(deps, provenBy(offer)))
  if (!account) return step.startOver()
  const csrf = deps.csrf.token(ctx)
  const action = step.url('passkey-offer')
  const options = await deps.passkeys.creationOptions(account, bindingOf(step))
  deps.renderer.page(
    ctx,
    'interaction/passkey-offer',
    {
      reason: reasonOf(step.state),
      appHref: step.state.enrol ? step.url('mfa-enrol') : undefined,
      passkey: { action, csrf, options },
      decline: mayDecline(step, offer) ? { action: `${action}/decline`, csrf } : undefined,
      passwordHref:
        offer.isFirst && step.offers('password')
          ? `/forgot-password?interaction=${step.uid}`
          : undefined,
      leave: leaveForm(ctx, deps, step),
      problems,
    },
    step.app,
  )
}

function reasonOf({ enrol, offer }: InteractionState) {
  if (enrol) return 'second'
  if (offer?.isFirst) return 'first'
  return offer?.isRequired ? 'required' : 'offer'
}
