import type { Middleware } from 'koa'
import type { RecoveryHolds } from '../../../accounts/recovery/holds.ts'
import { LINK_PATHS } from '../../../mail/links.ts'
import type { AreaDeps } from './area.ts'
import { visitorOf } from './session.ts'

export interface StopRecoveryDeps extends AreaDeps {
  readonly recoveryHolds: RecoveryHolds
}

/** Every page of the area says that a recovery waits, with a button that leads here. */
export function stopRecovery({ recoveryHolds, renderer }: StopRecoveryDeps): Middleware {
  return async (ctx) => {
    const { reportSecret } = await recoveryHolds.stopOwn(visitorOf(ctx).account.id)
    const report = `${LINK_PATHS.reportCompromise}?token=${reportSecret}`
    renderer.page(ctx, 'pages/message', {
      kind: 'recovery_stopped',
      actions: [
        { href: '/account', label: 'account' },
        { href: report, label: 'secure_account' },
      ],
    })
  }
}
