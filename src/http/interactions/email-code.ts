import type { Context, Middleware } from 'koa'
import { codeFault, emailFault, refuseFaults, textsOf } from '../form.ts'
import { isHalfway } from '../middleware/reserving-limit.ts'
import { refusable } from '../refusable.ts'
import { nameOfApp } from '../renderer.ts'
import { seeOther } from '../see-other.ts'
import { originOf } from '../state.ts'
import { renderCodePage, type Shown } from './code-page.ts'
import { finishSignIn } from './finish.ts'
import { secondStepAfter } from './half-way.ts'
import {
  bindingOf,
  type InteractionDeps,
  requireOffered,
  type Step,
  stepOf,
} from './interaction.ts'
import { type Asking, isRememberedFor, rememberingOf } from './known-person.ts'
import { renderLogin } from './login.ts'

/** "Send me a code", for the address on the sign-in page. The next page is the same for all of them. */
export async function sendCode(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  { known, email }: Asking,
): Promise<void> {
  requireOffered(step, 'email-code')
  const isRemembered = textsOf(ctx, 'remember').remember === 'yes'
  const remembering = rememberingOf(known, isRemembered)
  await refusable(
    ctx,
    async () => {
      refuseFaults({ username: emailFault(email) })
      const { tokenId } = await request(ctx, deps, step, email)
      const { mfa: _mfa, signUp: _signUp, ...state } = step.state
      await step.goOn({ ...state, emailCode: { tokenId, email: email.trim(), ...remembering } })
    },
    (problems) => renderLogin(ctx, deps, step, { email, isRemembered, known, problems }),
  )
}

/** Another code, for the page that waits for one already. */
export function sendCodeAgain(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    requireOffered(step, 'email-code')
    const { emailCode } = step.state
    if (!emailCode) return step.startOver()
    await request(ctx, deps, step, emailCode.email, emailCode.tokenId)
    seeOther(ctx, `${step.url('email-code')}?resent=1`)
  }
}

export function showEmailCode(deps: InteractionDeps): Middleware {
  return (ctx) =>
    render(ctx, deps, stepOf(ctx), ctx.query['resent'] === '1' ? { notice: 'code_sent' } : {})
}

export function submitEmailCode(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    requireOffered(step, 'email-code')
    const { emailCode } = step.state
    if (!emailCode) return step.startOver()
    const { code } = textsOf(ctx, 'code')
    await refusable(
      ctx,
      async () => {
        refuseFaults({ code: codeFault(code) })
        const { tokenId, email } = emailCode
        const typed = { tokenId, email, code, ...placeOf(ctx, deps, step) }
        const isRemembered = (id: string) => isRememberedFor(emailCode, id)
        const outcome = await deps.signInCodes.answer(typed, originOf(ctx), (proven) =>
          finishSignIn(ctx, deps, step, {
            ...proven,
            isRemembered: isRemembered(proven.accountId),
          }),
        )
        if (outcome.status !== 'mfa_required') return
        isHalfway(ctx)
        const { emailCode: _code, ...state } = step.state
        const mfa = secondStepAfter(outcome, isRemembered(outcome.accountId))
        await step.goOn({ ...state, mfa })
      },
      (problems) => render(ctx, deps, step, { problems }),
    )
  }
}

async function request(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  email: string,
  page?: string,
): Promise<{ tokenId: string }> {
  const wanted = {
    email,
    page,
    app: nameOfApp(step.app),
    clientId: step.app.client.clientId,
    ...placeOf(ctx, deps, step),
  }
  return deps.signInCodes.request(wanted, originOf(ctx))
}

const placeOf = (ctx: Context, { deviceCookie }: InteractionDeps, step: Step) => ({
  binding: bindingOf(step),
  device: deviceCookie.read(ctx),
})

function render(ctx: Context, deps: InteractionDeps, step: Step, shown: Shown): void {
  renderCodePage(ctx, deps, step, {
    page: 'interaction/email-code',
    email: step.state.emailCode?.email ?? '',
    submit: 'email-code',
    resend: 'send-code-again',
    startOver: 'login',
    ...shown,
  })
}
