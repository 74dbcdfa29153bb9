import type { Context, Middleware } from 'koa'
import type { Problems } from '../../../views/views.ts'
import { refuseFaults, textsOf } from '../../form.ts'
import { refusable } from '../../refusable.ts'
import { seeOther } from '../../see-other.ts'
import { originOf } from '../../state.ts'
import { signInOf } from '../left-sign-in.ts'
import { leftApp, type RecoveryPagesDeps } from './deps.ts'

const PATH = '/recover/new'

/** Everything that it takes was shown: a new way in. */
export function showRenew(deps: RecoveryPagesDeps): Middleware {
  return (ctx) => render(ctx, deps)
}

export function submitRenew(deps: RecoveryPagesDeps): Middleware {
  return async (ctx) => {
    const grant = deps.recoveryPass.read(ctx, 'recover_grant')
    if (!grant) return seeOther(ctx, '/recover')
    const { password } = textsOf(ctx, 'password')
    await refusable(
      ctx,
      async () => {
        const account = await deps.regaining.look(grant)
        refuseFaults({ password: deps.regaining.faultOf(password, account) })
        await done(ctx, deps, await deps.regaining.withPassword(grant, password, originOf(ctx)))
      },
      (problems) => render(ctx, deps, problems),
    )
  }
}

/** The only answer that ever shows the codes; nobody is signed in by it (TF-09, EM-08). */
async function done(
  ctx: Context,
  deps: RecoveryPagesDeps,
  codes: readonly string[],
): Promise<void> {
  const app = await leftApp(ctx, deps)
  const signInHref = signInOf(deps.recoveryFlow.read(ctx)?.interaction)
  deps.recoveryPass.write(ctx, null)
  deps.recoveryFlow.clear(ctx)
  deps.renderer.page(ctx, 'pages/recover-done', { codes, signInHref }, app)
}

async function render(ctx: Context, deps: RecoveryPagesDeps, problems?: Problems): Promise<void> {
  const grant = deps.recoveryPass.read(ctx, 'recover_grant')
  if (!grant) return seeOther(ctx, '/recover')
  const { email } = await deps.regaining.look(grant)
  const model = { action: PATH, csrf: deps.csrf.token(ctx), email, problems }
  deps.renderer.page(ctx, 'pages/recover-new', model, await leftApp(ctx, deps))
}
