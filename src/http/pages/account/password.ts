import type { Context, Middleware } from 'koa'
import { z } from 'zod'
import type { PasswordChange } from '../../../accounts/password-change.ts'
import { MIN_PASSWORD } from '../../../accounts/password-policy.ts'
import { AppError } from '../../../errors.ts'
import type { Problems } from '../../../views.ts'
import { originOf, refusable } from '../../refusable.ts'
import { seeOther } from '../../see-other.ts'
import { totpProblems } from '../../totp-problems.ts'
import type { FlowCookie } from '../flow-cookie.ts'
import { type AreaDeps, areaOf, formOf } from './area.ts'
import { visitorOf } from './session.ts'

export interface PasswordDeps extends AreaDeps {
  readonly passwordChange: PasswordChange
  /** Which change this browser has begun. */
  readonly passwordFlow: FlowCookie
}

const FIRST = '/account/password'
const CONFIRM = '/account/password/confirm'

const CurrentForm = z.object({ current_password: z.string().max(4096) })
const NewForm = z.object({ code: z.string().max(64), password: z.string().max(4096) })

export function showPassword(deps: PasswordDeps): Middleware {
  return (ctx) => render(ctx, deps, 'current')
}

/** The current password first, however fresh the sign-in is (PW-09). */
export function submitPassword(deps: PasswordDeps): Middleware {
  return async (ctx) => {
    const form = CurrentForm.safeParse(formOf(ctx))
    const { id, email } = visitorOf(ctx).account
    await refusable(
      ctx,
      async () => {
        if (!form.success) throw new AppError('invalid_credentials')
        const { tokenId } = await deps.passwordChange.start(id, form.data.current_password, originOf(ctx))
        deps.passwordFlow.write(ctx, { tokenId, email })
        seeOther(ctx, CONFIRM)
      },
      (problems) => render(ctx, deps, 'current', problems.code === 'invalid_credentials' ? WRONG : problems),
    )
  }
}

const WRONG: Problems = { fields: { current_password: 'wrong_password' } }

export function showNewPassword(deps: PasswordDeps): Middleware {
  return (ctx) => (deps.passwordFlow.read(ctx) ? render(ctx, deps, 'confirm') : seeOther(ctx, FIRST))
}

/** The second proof together with the new password; every other session ends, this one stays (PW-10). */
export function submitNewPassword(deps: PasswordDeps): Middleware {
  return async (ctx) => {
    const begun = deps.passwordFlow.read(ctx)
    if (!begun) return seeOther(ctx, FIRST)
    const form = NewForm.safeParse(formOf(ctx))
    const { account, sessionId } = visitorOf(ctx)
    await refusable(
      ctx,
      async () => {
        if (!form.success) throw new AppError('invalid_code')
        await deps.passwordChange.complete({ ...begun, ...form.data, accountId: account.id, sessionId }, originOf(ctx))
        deps.passwordFlow.clear(ctx)
        deps.notices.leave(ctx, 'password_changed')
        seeOther(ctx, '/account')
      },
      (problems) => render(ctx, deps, 'confirm', problems),
    )
  }
}

function render(ctx: Context, deps: PasswordDeps, step: 'current' | 'confirm', problems?: Problems): void {
  const { mfaEnabled } = visitorOf(ctx).account
  deps.renderer.page(ctx, 'account/password', {
    ...areaOf(ctx, deps),
    action: step === 'current' ? FIRST : CONFIRM,
    csrf: deps.csrf.token(ctx),
    step,
    method: mfaEnabled ? 'totp' : 'email',
    passwordMinLength: mfaEnabled ? MIN_PASSWORD.withMfa : MIN_PASSWORD.alone,
    problems: mfaEnabled ? totpProblems(problems) : problems,
  })
}
