import type { Context, Middleware } from 'koa'
import { codeFault, refuseFaults, textsOf } from '../form.ts'
import { refusable } from '../refusable.ts'
import { nameOfApp } from '../renderer.ts'
import { seeOther } from '../see-other.ts'
import { originOf } from '../state.ts'
import { renderCodePage, type Shown } from './code-page.ts'
import { type InteractionDeps, type Step, stepOf } from './interaction.ts'
import { enterNew } from './signed-up.ts'

export function showVerifyEmail(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const { signUp } = step.state
    if (signUp && (await deps.accounts.findActive(signUp.userId))) return step.startOver()
    render(ctx, deps, step, ctx.query['resent'] === '1' ? { notice: 'code_sent' } : {})
  }
}

/** The right code makes the account and signs it in: its password and address come from this browser. */
export function submitVerifyEmail(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const { signUp } = step.state
    if (!signUp) return step.startOver()
    // The code was right before, and the answer was lost.
    if (await deps.accounts.findActive(signUp.userId)) return step.startOver()
    const { code } = textsOf(ctx, 'code')
    await refusable(
      ctx,
      async () => {
        refuseFaults({ code: codeFault(code) })
        const account = await deps.signUpProof.byCode({ ...signUp, code })
        await enterNew(ctx, deps, step, account, signUp.wantsPasskey)
      },
      (problems) => render(ctx, deps, step, { problems: problems }),
    )
  }
}

export function resendCode(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const { signUp } = step.state
    if (!signUp) return step.startOver()
    const { tokenId } = await deps.signUp.resendFor(signUp, originOf(ctx), nameOfApp(step.app))
    await deps.interactions.remember(step.interaction, {
      ...step.state,
      signUp: { ...signUp, tokenId },
    })
    seeOther(ctx, `${step.url('verify-email')}?resent=1`)
  }
}

const STEPS = { submit: 'verify-email', resend: 'resend', startOver: 'sign-up' }

function render(ctx: Context, deps: InteractionDeps, step: Step, shown: Shown): void {
  const email = step.state.signUp?.email ?? ''
  renderCodePage(ctx, deps, step, { email, ...STEPS, ...shown })
}
