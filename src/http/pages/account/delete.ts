import type { Context, Middleware } from 'koa'
import { canonicalEmail } from '../../../accounts/canonical-email.ts'
import type { Deletion } from '../../../accounts/deletion.ts'
import type { Config } from '../../../config/config.ts'
import type { Problems } from '../../../views/views.ts'
import { emptyFault, refuseFaults, textsOf } from '../../form.ts'
import { refusable } from '../../refusable.ts'
import { originOf } from '../../state.ts'
import { type AreaDeps, areaOf } from './area.ts'
import { visitorOf } from './session.ts'
import { forgetBrowser } from './sign-out.ts'

export interface DeleteDeps extends AreaDeps {
  readonly config: Config
  readonly deletion: Deletion
}

const PATH = '/account/delete'

export function showDelete(deps: DeleteDeps): Middleware {
  return (ctx) => render(ctx, deps)
}

/**
 * Typing the own address is the confirmation; everything ends at once, and a mailed link brings the
 * account back (UX-37).
 */
export function submitDelete(deps: DeleteDeps): Middleware {
  return async (ctx) => {
    const { account, sessionId } = visitorOf(ctx)
    const { confirmation } = textsOf(ctx, 'confirmation')
    await refusable(
      ctx,
      async () => {
        refuseFaults({
          confirmation:
            emptyFault(confirmation) ??
            (canonicalEmail(confirmation) === account.email ? undefined : 'no_match'),
        })
        await deps.deletion.request(account.id, originOf(ctx), sessionId)
        forgetBrowser(ctx, deps.config.issuer)
        deps.renderer.page(ctx, 'pages/message', { kind: 'account_deletion_scheduled' })
      },
      (problems) => render(ctx, deps, { confirmation, problems }),
    )
  }
}

function render(
  ctx: Context,
  deps: DeleteDeps,
  shown: { confirmation?: string; problems?: Problems } = {},
): void {
  deps.renderer.page(ctx, 'account/delete', {
    ...areaOf(ctx, deps),
    action: PATH,
    csrf: deps.csrf.token(ctx),
    graceDays: Math.round(deps.config.lifetimes.deleteGrace / 86_400),
    exportHref: '/account/export',
    ...shown,
  })
}
