import type { Middleware } from 'koa'
import { LINK_PATHS, reportPath } from '../../../mail/links.ts'
import { tokenOf } from '../mailed-secret.ts'
import { goOnWith, type RecoveryPagesDeps } from './deps.ts'

/** The link after the wait, or of the operator: looking spends nothing (EM-04). */
export function showLink({ recovery, renderer, csrf }: RecoveryPagesDeps): Middleware {
  return async (ctx) => {
    const token = tokenOf(ctx)
    const { address } = await recovery.peekLink(token)
    const form = { action: LINK_PATHS.recoverLink, csrf: csrf.token(ctx), hidden: { token } }
    renderer.page(ctx, 'pages/recover-link', { ...form, kind: 'link', email: address })
  }
}

export function submitLink(deps: RecoveryPagesDeps): Middleware {
  return async (ctx) => goOnWith(ctx, deps, await deps.recovery.spendLink(tokenOf(ctx)))
}

export function showStop({ recoveryHolds, renderer, csrf }: RecoveryPagesDeps): Middleware {
  return async (ctx) => {
    const token = tokenOf(ctx)
    const { address } = await recoveryHolds.peekStop(token)
    const form = { action: LINK_PATHS.stopRecovery, csrf: csrf.token(ctx), hidden: { token } }
    renderer.page(ctx, 'pages/recover-link', { ...form, kind: 'stop', email: address })
  }
}

/** Somebody asked, and it was not them: what else is theirs may need securing too. */
export function submitStop({ recoveryHolds, renderer }: RecoveryPagesDeps): Middleware {
  return async (ctx) => {
    const { reportSecret } = await recoveryHolds.stop(tokenOf(ctx))
    renderer.page(ctx, 'pages/message', {
      kind: 'recovery_stopped',
      actions: [{ href: reportPath(reportSecret), label: 'secure_account' }],
    })
  }
}
