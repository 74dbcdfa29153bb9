import type { Context } from 'koa'
import type { NoticeKind, Problems } from '../../views/views.ts'
import { RESEND_SECONDS } from '../resend.ts'
import type { InteractionDeps, Step } from './interaction.ts'
import { leaveForm } from './leave.ts'

export interface Shown {
  readonly notice?: NoticeKind | undefined
  readonly problems?: Problems | undefined
}

interface CodePage extends Shown {
  readonly email: string
  /** Steps of the interaction: where the code is posted, another is asked for, and one begins anew. */
  readonly submit: string
  readonly resend: string
  readonly startOver: string
  /** Default: a code to an address of nobody yet. */
  readonly page?: 'interaction/verify-email' | 'interaction/email-code'
}

/** A page that waits for a mailed code. */
export function renderCodePage(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  {
    email,
    submit,
    resend,
    startOver,
    notice,
    problems,
    page = 'interaction/verify-email',
  }: CodePage,
): void {
  const csrf = deps.csrf.token(ctx)
  const again = {
    action: step.url(resend),
    csrf,
    availableInSeconds: problems ? 0 : RESEND_SECONDS,
  }
  deps.renderer.page(
    ctx,
    page,
    {
      action: step.url(submit),
      csrf,
      email,
      startOverHref: step.url(startOver),
      leave: leaveForm(ctx, deps, step),
      resend: again,
      notice,
      problems,
    },
    step.app,
  )
}
