import type { Context, Middleware } from 'koa'
import { canonicalEmail } from '../../../accounts/canonical-email.ts'
import type { Problems } from '../../../views/views.ts'
import { codeFault, preciseProblems, refuseFaults, textsOf } from '../../form.ts'
import { refusable } from '../../refusable.ts'
import { RESEND_SECONDS } from '../../resend.ts'
import { seeOther } from '../../see-other.ts'
import { originOf } from '../../state.ts'
import { appOf, leftSignIn, signInOf } from '../left-sign-in.ts'
import { goOnWith, leftApp, type RecoveryPagesDeps } from './deps.ts'

/** For an address. The same page, whatever the address or the account is (UX-12). */
export function showAsk(deps: RecoveryPagesDeps): Middleware {
  return (ctx) => {
    const { email, interaction } = ctx.query
    return renderAsk(ctx, deps, {
      email: typeof email === 'string' ? email.slice(0, 254) : '',
      interaction: leftSignIn(ctx, interaction),
    })
  }
}

export function submitAsk(deps: RecoveryPagesDeps): Middleware {
  return async (ctx) => {
    const sent = textsOf(ctx, 'email', 'interaction')
    const interaction = leftSignIn(ctx, sent.interaction)
    await refusable(
      ctx,
      async () => {
        const asker = { device: deps.deviceCookie.read(ctx) }
        const { tokenId } = await deps.recovery.request(sent.email, originOf(ctx), asker)
        const email = canonicalEmail(sent.email) ?? ''
        deps.recoveryFlow.write(ctx, { tokenId, email, interaction })
        seeOther(ctx, '/recover/code')
      },
      (refused) =>
        renderAsk(ctx, deps, {
          email: sent.email,
          interaction,
          problems: preciseProblems(refused, sent),
        }),
    )
  }
}

export function resendRecoveryCode(deps: RecoveryPagesDeps): Middleware {
  return async (ctx) => {
    const begun = deps.recoveryFlow.read(ctx)
    if (!begun) return seeOther(ctx, '/recover')
    const asker = { device: deps.deviceCookie.read(ctx), page: begun.tokenId }
    const { tokenId } = await deps.recovery.request(begun.email, originOf(ctx), asker)
    deps.recoveryFlow.write(ctx, { ...begun, tokenId })
    seeOther(ctx, '/recover/code?sent=1')
  }
}

export function showCode(deps: RecoveryPagesDeps): Middleware {
  return (ctx) => renderCode(ctx, deps)
}

/** The code is for the browser that asked: its cookie names the page, and no other takes it. */
export function submitCode(deps: RecoveryPagesDeps): Middleware {
  return async (ctx) => {
    const begun = deps.recoveryFlow.read(ctx)
    if (!begun) return seeOther(ctx, '/recover')
    const { code } = textsOf(ctx, 'code')
    await refusable(
      ctx,
      async () => {
        refuseFaults({ code: codeFault(code) })
        goOnWith(ctx, deps, await deps.recovery.proveAddress({ ...begun, code }))
      },
      (problems) => renderCode(ctx, deps, problems),
    )
  }
}

async function renderAsk(
  ctx: Context,
  deps: RecoveryPagesDeps,
  shown: { email: string; interaction: string | undefined; problems?: Problems },
): Promise<void> {
  const { email, interaction, problems } = shown
  const form = { action: '/recover', csrf: deps.csrf.token(ctx), problems }
  const model = { ...form, email, signInHref: signInOf(interaction) }
  deps.renderer.page(
    ctx,
    'pages/recover',
    interaction ? { ...model, hidden: { interaction } } : model,
    await appOf(deps.interactions, interaction),
  )
}

async function renderCode(
  ctx: Context,
  deps: RecoveryPagesDeps,
  problems?: Problems,
): Promise<void> {
  const begun = deps.recoveryFlow.read(ctx)
  if (!begun) return seeOther(ctx, '/recover')
  const csrf = deps.csrf.token(ctx)
  const { interaction } = begun
  const model = {
    action: '/recover/code',
    csrf,
    email: begun.email,
    problems,
    resend: {
      action: '/recover/resend',
      csrf,
      availableInSeconds: problems ? 0 : RESEND_SECONDS,
    },
    startOverHref: interaction ? `/recover?interaction=${interaction}` : '/recover',
    ...(ctx.query['sent'] === '1' ? ({ notice: 'code_sent' } as const) : {}),
  }
  deps.renderer.page(ctx, 'pages/recover-code', model, await leftApp(ctx, deps))
}
