import type { Context, Middleware } from 'koa'
import type { EmailChange } from '../../../accounts/email-change.ts'
import type { Problems } from '../../../views/views.ts'
import { codeFault, preciseProblems, refuseFaults, textsOf } from '../../form.ts'
import { refusable } from '../../refusable.ts'
import { RESEND_SECONDS } from '../../resend.ts'
import { seeOther } from '../../see-other.ts'
import { originOf } from '../../state.ts'
import type { Flow, FlowCookie } from '../flow-cookie.ts'
import { type AreaDeps, areaOf } from './area.ts'
import { visitorOf } from './session.ts'

export interface EmailDeps extends AreaDeps {
  readonly emailChange: EmailChange
  /** Which change this browser has begun. */
  readonly emailFlow: FlowCookie
}

const FIRST = '/account/email'
const CONFIRM = '/account/email/confirm'

export function showEmail(deps: EmailDeps): Middleware {
  return (ctx) => renderFirst(ctx, deps, '')
}

/** The answer is the same whether or not the address is free (EN-01). */
export function submitEmail(deps: EmailDeps): Middleware {
  return async (ctx) => {
    const { email } = textsOf(ctx, 'email')
    await refusable(
      ctx,
      () => begin(ctx, deps, email),
      (problems) => renderFirst(ctx, deps, email, preciseProblems(problems, { email })),
    )
  }
}

export function showConfirmEmail(deps: EmailDeps): Middleware {
  return (ctx) => {
    const begun = deps.emailFlow.read(ctx)
    if (!begun) return seeOther(ctx, FIRST)
    renderConfirm(ctx, deps, begun)
  }
}

/** The code that went to the new address puts it in force; the old one is told and can undo it (EM-10). */
export function confirmEmail(deps: EmailDeps): Middleware {
  return async (ctx) => {
    const begun = deps.emailFlow.read(ctx)
    if (!begun) return seeOther(ctx, FIRST)
    const { code } = textsOf(ctx, 'code')
    await refusable(
      ctx,
      async () => {
        refuseFaults({ code: codeFault(code) })
        const { id: accountId } = visitorOf(ctx).account
        await deps.emailChange.complete({ ...begun, accountId, code }, originOf(ctx))
        deps.emailFlow.clear(ctx)
        deps.notices.leave(ctx, 'email_changed')
        seeOther(ctx, '/account')
      },
      (problems) => renderConfirm(ctx, deps, begun, problems),
    )
  }
}

export function resendEmailCode(deps: EmailDeps): Middleware {
  return async (ctx) => {
    const begun = deps.emailFlow.read(ctx)
    if (!begun) return seeOther(ctx, FIRST)
    await begin(ctx, deps, begun.email, begun.tokenId)
    deps.notices.leave(ctx, 'code_sent')
  }
}

async function begin(
  ctx: Context,
  deps: EmailDeps,
  submitted: string,
  page?: string,
): Promise<void> {
  const { tokenId, email } = await deps.emailChange.start(
    visitorOf(ctx).account.id,
    submitted,
    originOf(ctx),
    page,
  )
  deps.emailFlow.write(ctx, { tokenId, email })
  seeOther(ctx, CONFIRM)
}

function renderFirst(ctx: Context, deps: EmailDeps, email: string, problems?: Problems): void {
  deps.renderer.page(ctx, 'account/email', {
    ...areaOf(ctx, deps),
    action: FIRST,
    csrf: deps.csrf.token(ctx),
    email,
    problems,
  })
}

function renderConfirm(ctx: Context, deps: EmailDeps, { email }: Flow, problems?: Problems): void {
  const csrf = deps.csrf.token(ctx)
  deps.renderer.page(ctx, 'account/email', {
    ...areaOf(ctx, deps),
    action: CONFIRM,
    csrf,
    email,
    confirm: {
      newEmail: email,
      resend: {
        action: `${CONFIRM}/resend`,
        csrf,
        availableInSeconds: problems ? 0 : RESEND_SECONDS,
      },
      startOverHref: FIRST,
    },
    problems,
  })
}
