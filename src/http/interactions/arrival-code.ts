import type { Context, Middleware } from 'koa'
import { canonicalEmail } from '../../accounts/canonical-email.ts'
import { codeFault, refuseFaults, textsOf } from '../form.ts'
import { refusable } from '../refusable.ts'
import { seeOther } from '../see-other.ts'
import { renderCodePage, type Shown } from './code-page.ts'
import { type InteractionDeps, type Step, stepOf } from './interaction.ts'
import { askCode, follow } from './meeting.ts'
import { newcomerOf } from './newcomer.ts'
import { orLogin } from './upstream.ts'

/** The same page whether or not the address has an account: anybody's provider may name it (EN-01). */
export function showArrivalCode(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    if (!(await newcomerOf(deps, step))) return step.startOver()
    render(ctx, deps, step, ctx.query['resent'] === '1' ? { notice: 'code_sent' } : {})
  }
}

/** Once the address is proven, the table is asked again. */
export function submitArrivalCode(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const newcomer = await newcomerOf(deps, step)
    const waiting = newcomer?.waiting
    const email = canonicalEmail(waiting?.email ?? '')
    if (!newcomer || !email || waiting?.tokenId === undefined) return step.startOver()
    const asked = { arrivalId: waiting.id, email, tokenId: waiting.tokenId }
    const { code } = textsOf(ctx, 'code')
    const prove = async () => {
      refuseFaults({ code: codeFault(code) })
      await deps.addressProof.prove(asked, code)
      await follow(ctx, deps, step, newcomer, await deps.meetings.meetAt(email))
    }
    await refusable(
      ctx,
      () => orLogin(ctx, deps, step, newcomer.provider, prove),
      (problems) => render(ctx, deps, step, { problems }),
    )
  }
}

export function resendArrivalCode(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const newcomer = await newcomerOf(deps, step)
    const { email, tokenId: page, isSuspected, stage } = newcomer?.waiting ?? {}
    if (!newcomer || email === undefined || stage !== 'code') return step.startOver()
    const asked = await askCode(ctx, deps, step, newcomer, { email, page, isSuspected })
    const { waiting } = newcomer
    await deps.interactions.remember(step.interaction, { arrival: { ...waiting, ...asked } })
    seeOther(ctx, `${step.url('arrival-code')}?resent=1`)
  }
}

const STEPS = { submit: 'arrival-code', resend: 'arrival-code/resend', startOver: 'login' }

function render(ctx: Context, deps: InteractionDeps, step: Step, shown: Shown): void {
  const email = step.state.arrival?.email ?? ''
  renderCodePage(ctx, deps, step, { email, ...STEPS, ...shown })
}
