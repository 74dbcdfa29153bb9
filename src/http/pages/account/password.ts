import type { Context, Middleware } from 'koa'
import { takesTwoFactors } from '../../../accounts/factors/levels.ts'
import type { OwnWaysIn } from '../../../accounts/factors/own-ways.ts'
import type { PasswordChange } from '../../../accounts/passwords/password-change.ts'
import { MIN_PASSWORD } from '../../../accounts/passwords/password-policy.ts'
import type { Problems } from '../../../views/views.ts'
import { codeFault, emptyFault, passwordFault, refuseFaults, textsOf } from '../../form.ts'
import { refusable } from '../../refusable.ts'
import { seeOther } from '../../see-other.ts'
import { originOf } from '../../state.ts'
import { totpProblems } from '../../totp-problems.ts'
import type { FlowCookie } from '../flow-cookie.ts'
import { type AreaDeps, areaOf } from './area.ts'
import { visitorOf } from './session.ts'

export interface PasswordDeps extends AreaDeps {
  readonly passwordChange: PasswordChange
  /** Which change this browser has begun. */
  readonly passwordFlow: FlowCookie
  readonly ownWays: OwnWaysIn
}

const FIRST = '/account/password'
const CONFIRM = '/account/password/confirm'

/** Who signs in without one is shown what they sign in with. */
export function havingPassword({ ownWays }: PasswordDeps): Middleware {
  return async (ctx, next) => {
    const { password } = await ownWays.of(visitorOf(ctx).account.id)
    return password === 'used' ? next() : seeOther(ctx, '/account#security')
  }
}

export function showPassword(deps: PasswordDeps): Middleware {
  return (ctx) => render(ctx, deps, 'current')
}

/** The routes ask for a fresh session. */
const isFreshHere = async () => undefined

/** The current password first, however fresh the sign-in is (PW-09). */
export function submitPassword(deps: PasswordDeps): Middleware {
  return async (ctx) => {
    const { current_password: current } = textsOf(ctx, 'current_password')
    const { id, email } = visitorOf(ctx).account
    await refusable(
      ctx,
      async () => {
        refuseFaults({ current_password: passwordFault(current) })
        const { tokenId } = await deps.passwordChange.start(id, current, originOf(ctx), isFreshHere)
        deps.passwordFlow.write(ctx, { tokenId, email })
        seeOther(ctx, CONFIRM)
      },
      (problems) =>
        render(ctx, deps, 'current', problems.code === 'invalid_credentials' ? WRONG : problems),
    )
  }
}

const WRONG: Problems = { fields: { current_password: 'wrong_password' } }

export function showNewPassword(deps: PasswordDeps): Middleware {
  return (ctx) =>
    deps.passwordFlow.read(ctx) ? render(ctx, deps, 'confirm') : seeOther(ctx, FIRST)
}

/** The second proof together with the new password; every other session ends, this one stays (PW-10). */
export function submitNewPassword(deps: PasswordDeps): Middleware {
  return async (ctx) => {
    const begun = deps.passwordFlow.read(ctx)
    if (!begun) return seeOther(ctx, FIRST)
    const { code, password } = textsOf(ctx, 'code', 'password')
    const { account, sessionId } = visitorOf(ctx)
    await refusable(
      ctx,
      async () => {
        const wrong = {
          code: (account.mfaEnabled ? emptyFault : codeFault)(code),
          password: deps.passwordChange.faultOf(account, password),
        }
        refuseFaults(wrong)
        await deps.passwordChange.complete(
          { ...begun, code, password, accountId: account.id, sessionId },
          originOf(ctx),
          isFreshHere,
        )
        deps.passwordFlow.clear(ctx)
        deps.notices.leave(ctx, 'password_changed')
        seeOther(ctx, '/account')
      },
      (problems) => render(ctx, deps, 'confirm', problems, code),
    )
  }
}

function render(
  ctx: Context,
  deps: PasswordDeps,
  step: 'current' | 'confirm',
  problems?: Problems,
  code?: string,
): void {
  const { account } = visitorOf(ctx)
  const minLength = takesTwoFactors(account) ? MIN_PASSWORD.withMfa : MIN_PASSWORD.alone
  deps.renderer.page(ctx, 'account/password', {
    ...areaOf(ctx, deps),
    action: step === 'current' ? FIRST : CONFIRM,
    csrf: deps.csrf.token(ctx),
    step,
    code,
    method: account.mfaEnabled ? 'totp' : 'email',
    passwordMinLength: minLength,
    problems: account.mfaEnabled ? totpProblems(problems) : problems,
  })
}
