import type { Context, Middleware } from 'koa'
import type { Totp } from '../../../accounts/factors/totp.ts'
import type { Problems } from '../../../views/views.ts'
import { codeFault, emptyFault, refuseFaults, textsOf } from '../../form.ts'
import { refusable } from '../../refusable.ts'
import { seeOther } from '../../see-other.ts'
import { originOf } from '../../state.ts'
import { enrolmentProblems, type RefusedEnrolment, totpProblems } from '../../totp-problems.ts'
import { type AreaDeps, areaOf } from './area.ts'
import { renderRecoveryCodes } from './recovery-codes.ts'
import { visitorOf } from './session.ts'

export interface MfaDeps extends AreaDeps {
  readonly mfa: Totp
}

const ENROL = '/account/mfa'
const DISABLE = '/account/mfa/disable'
const SECURITY = '/account#security'

/**
 * Shows the secret that waits for its code; without one, the button that makes it. Looking at the
 * page makes nothing (SE-13).
 */
export function showMfa(deps: MfaDeps): Middleware {
  return (ctx) => renderEnrol(ctx, deps)
}

export function startMfa(deps: MfaDeps): Middleware {
  return async (ctx) => {
    const { account } = visitorOf(ctx)
    if (!account.mfaEnabled) await deps.mfa.enrol(account)
    seeOther(ctx, ENROL)
  }
}

/**
 * The first right code turns it on, and its answer is the only one that ever shows the recovery
 * codes (TF-04, TF-09).
 */
export function confirmMfa(deps: MfaDeps): Middleware {
  return async (ctx) => {
    const { account, sessionId } = visitorOf(ctx)
    if (account.mfaEnabled) return seeOther(ctx, SECURITY)
    const { code, enrolment } = textsOf(ctx, 'code', 'enrolment')
    let refused: RefusedEnrolment | undefined
    await refusable(
      ctx,
      async () => {
        refuseFaults({ code: codeFault(code) })
        const typed = { accountId: account.id, enrolmentId: enrolment, code }
        const codes = await deps.mfa.confirm(typed, originOf(ctx), { sessionId })
        renderRecoveryCodes(ctx, deps, { codes, uses: [], notice: 'mfa_enabled' })
      },
      (problems) => {
        refused = { problems, enrolment }
      },
    )
    if (refused) await renderEnrol(ctx, deps, refused)
  }
}

export function showDisableMfa(deps: MfaDeps): Middleware {
  return (ctx) =>
    visitorOf(ctx).account.mfaEnabled ? renderDisable(ctx, deps) : seeOther(ctx, SECURITY)
}

/** Asks for a code of the factor itself, besides the fresh sign-in (TF-05). */
export function disableMfa(deps: MfaDeps): Middleware {
  return async (ctx) => {
    const { code } = textsOf(ctx, 'code')
    await refusable(
      ctx,
      async () => {
        refuseFaults({ code: emptyFault(code) })
        await deps.mfa.disable(visitorOf(ctx).account.id, code, originOf(ctx))
        deps.notices.leave(ctx, 'mfa_disabled')
        seeOther(ctx, SECURITY)
      },
      (problems) => renderDisable(ctx, deps, problems),
    )
  }
}

async function renderEnrol(ctx: Context, deps: MfaDeps, refused?: RefusedEnrolment): Promise<void> {
  const { account } = visitorOf(ctx)
  if (account.mfaEnabled) return seeOther(ctx, SECURITY)
  const form = { ...areaOf(ctx, deps), csrf: deps.csrf.token(ctx) }
  const pending = await deps.mfa.pendingEnrolment(account)
  if (!pending)
    return deps.renderer.page(ctx, 'account/mfa-start', {
      ...form,
      action: `${ENROL}/start`,
      problems: totpProblems(refused?.problems),
    })
  const { id, secret, otpauthUri } = pending
  deps.renderer.page(ctx, 'account/mfa-enrol', {
    ...form,
    action: ENROL,
    hidden: { enrolment: id },
    problems: enrolmentProblems(refused, pending),
    secret,
    otpauthUri,
  })
}

function renderDisable(ctx: Context, deps: MfaDeps, problems?: Problems): void {
  deps.renderer.page(ctx, 'account/mfa-disable', {
    ...areaOf(ctx, deps),
    action: DISABLE,
    csrf: deps.csrf.token(ctx),
    problems: totpProblems(problems),
  })
}
