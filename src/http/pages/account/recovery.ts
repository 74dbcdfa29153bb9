import type { Middleware } from 'koa'
import type { RecoveryHolds } from '../../../accounts/recovery/holds.ts'
import { reportPath } from '../../../mail/links.ts'
import type { AreaDeps } from './area.ts'
import { visitorOf } from './session.ts'

export interface StopRecoveryDeps extends AreaDeps {
  readonly recoveryHolds: RecoveryHolds
}

/** Every page of the area says that a recovery waits, with a button that leads here. */
export function stopRecovery({ recoveryHolds, renderer }: StopRecoveryDeps): Middleware {
  return async (ctx) => {
    const { reportSecret } = await recoveryHolds.stopOwn(visitorOf(ctx).account.id)
    renderer.page(ctx, 'pages/message', {
      kind: 'recovery_stopped',
      actions: [
        { href: '/account', label: 'account' },
        { href: reportPath(reportSecret), label: 'secure_account' },
      ],
    })
  }
}
