import type { Context, Middleware } from 'koa'
import type { Problems } from '../../../views/views.ts'
import { emptyFault, refuseFaults, textsOf } from '../../form.ts'
import { refusable } from '../../refusable.ts'
import { seeOther } from '../../see-other.ts'
import { originOf } from '../../state.ts'
import { goOnWith, leftApp, type RecoveryPagesDeps } from './deps.ts'

/** After the mailbox, for an account of two factors: a recovery code, or a wait that its owner sees. */
export function showNext(deps: RecoveryPagesDeps): Middleware {
  return (ctx) => render(ctx, deps)
}

export function submitRecoveryCode(deps: RecoveryPagesDeps): Middleware {
  return async (ctx) => {
    const pass = deps.recoveryPass.read(ctx, 'recover_proven')
    if (!pass) return seeOther(ctx, '/recover')
    const { code } = textsOf(ctx, 'code')
    await refusable(
      ctx,
      async () => {
        refuseFaults({ code: emptyFault(code) })
        goOnWith(ctx, deps, await deps.recovery.bySecondFactor(pass, code, originOf(ctx)))
      },
      (problems) => render(ctx, deps, problems),
    )
  }
}

export function submitWait(deps: RecoveryPagesDeps): Middleware {
  return async (ctx) => {
    const pass = deps.recoveryPass.read(ctx, 'recover_proven')
    if (!pass) return seeOther(ctx, '/recover')
    await refusable(
      ctx,
      async () => {
        const { opensAt, address } = await deps.recovery.wait(pass, originOf(ctx))
        deps.recoveryPass.write(ctx, null)
        const model = { email: address, opensAt }
        deps.renderer.page(ctx, 'pages/recover-waits', model, await leftApp(ctx, deps))
      },
      (problems) => render(ctx, deps, problems),
    )
  }
}

async function render(ctx: Context, deps: RecoveryPagesDeps, problems?: Problems): Promise<void> {
  const pass = deps.recoveryPass.read(ctx, 'recover_proven')
  if (!pass) return seeOther(ctx, '/recover')
  const { email, hold, holdHours, recoveryCodesLeft } = await deps.recovery.next(pass)
  const csrf = deps.csrf.token(ctx)
  const canWait = holdHours > 0 && !hold
  const model = {
    action: '/recover/next',
    csrf,
    email,
    problems,
    asksCode: recoveryCodesLeft > 0,
    holdHours,
    opensAt: hold?.opensAt,
    wait: canWait ? { action: '/recover/wait', csrf } : undefined,
  }
  deps.renderer.page(ctx, 'pages/recover-next', model, await leftApp(ctx, deps))
}
