import type { Context, Middleware } from 'koa'
import { AppError } from '../../../errors.ts'
import type { Problems } from '../../../views/views.ts'
import { refuseFaults, textsOf } from '../../form.ts'
import { Registration, readCredential } from '../../passkey-credential.ts'
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
    let refused: Problems | undefined
    await refusable(
      ctx,
      async () => done(ctx, deps, await renewed(ctx, deps, grant)),
      (problems) => {
        refused = problems
      },
    )
    if (refused) await render(ctx, deps, refused)
  }
}

/** By what was posted: a passkey, a password, or no more than the address. */
async function renewed(
  ctx: Context,
  { regaining, signInPolicy }: RecoveryPagesDeps,
  grant: string,
): Promise<readonly string[]> {
  const { credential, password, way } = textsOf(ctx, 'credential', 'password', 'way')
  const method = credential ? 'passkey' : way === 'code' ? 'email-code' : 'password'
  if (!signInPolicy.offers(method)) throw new AppError('forbidden')
  if (method === 'email-code') return regaining.withCode(grant, originOf(ctx))
  if (method === 'passkey')
    return regaining.withPasskey(grant, readCredential(Registration, credential), originOf(ctx))
  refuseFaults({ password: regaining.faultOf(password, await regaining.look(grant)) })
  return regaining.withPassword(grant, password, originOf(ctx))
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
  const { regaining, signInPolicy } = deps
  const { email } = await regaining.look(grant)
  const csrf = deps.csrf.token(ctx)
  const options = signInPolicy.offers('passkey') && (await regaining.passkeyOptions(grant))
  const model = {
    action: PATH,
    csrf,
    email,
    problems,
    asksPassword: signInPolicy.offers('password'),
    takesCode: signInPolicy.offers('email-code') && (await regaining.opensByCode(grant)),
    passkey: options ? { action: '/recover/passkey', csrf, options } : undefined,
  }
  deps.renderer.page(ctx, 'pages/recover-new', model, await leftApp(ctx, deps))
}
