import type { Context, Middleware } from 'koa'
import { takesTwoFactors } from '../../../accounts/factors/levels.ts'
import type { RecoveryCodes } from '../../../accounts/factors/recovery-codes.ts'
import type { NoticeKind } from '../../../views/views.ts'
import { seeOther } from '../../see-other.ts'
import { originOf } from '../../state.ts'
import { type AreaDeps, areaOf } from './area.ts'
import { visitorOf } from './session.ts'

export interface RecoveryCodesDeps extends AreaDeps {
  readonly recoveryCodes: RecoveryCodes
}

const PATH = '/account/recovery-codes'

/**
 * Which are left and which were used; the codes themselves are not kept and cannot be shown again
 * (TF-09, UX-24).
 */
export function showRecoveryCodes(deps: RecoveryCodesDeps): Middleware {
  return async (ctx) => {
    const { account } = visitorOf(ctx)
    if (!takesTwoFactors(account)) return seeOther(ctx, '/account/mfa')
    renderRecoveryCodes(ctx, deps, { uses: await deps.recoveryCodes.uses(account.id) })
  }
}

/** New ones void the old ones. */
export function regenerateRecoveryCodes(deps: RecoveryCodesDeps): Middleware {
  return async (ctx) => {
    const { account } = visitorOf(ctx)
    if (!takesTwoFactors(account)) return seeOther(ctx, '/account/mfa')
    const codes = await deps.recoveryCodes.regenerate(account.id, originOf(ctx))
    renderRecoveryCodes(ctx, deps, { codes, uses: [], notice: 'recovery_codes_regenerated' })
  }
}

export function renderRecoveryCodes(
  ctx: Context,
  deps: AreaDeps,
  shown: { codes?: readonly string[]; uses: readonly (Date | undefined)[]; notice?: NoticeKind },
): void {
  const regenerate = { action: PATH, csrf: deps.csrf.token(ctx) }
  deps.renderer.page(ctx, 'account/recovery-codes', { ...areaOf(ctx, deps), regenerate, ...shown })
}
