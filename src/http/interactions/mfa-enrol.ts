import type { Context, Middleware } from 'koa'
import { firstStepOf } from '../../accounts/factors/methods/index.ts'
import { TOTP } from '../../accounts/factors/methods/totp.ts'
import { shownBy } from '../../accounts/shown-sign-in.ts'
import type { InteractionState } from '../../oidc/interaction-state.ts'
import { codeFault, refuseFaults, textsOf } from '../form.ts'
import { refusable } from '../refusable.ts'
import { originOf } from '../state.ts'
import { enrolmentProblems, type RefusedEnrolment } from '../totp-problems.ts'
import { findProven, finishSignIn } from './finish.ts'
import { type InteractionDeps, type Step, stepOf } from './interaction.ts'
import { provenBy } from './kept-proof.ts'
import { leaveForm } from './leave.ts'

type Enrol = NonNullable<InteractionState['enrol']>

/**
 * Two factors are demanded of an account that has one: the secret waits here for its first code. No
 * session exists yet.
 */
export function showMfaEnrol(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    await renderEnrol(ctx, deps, step)
  }
}

/**
 * The answer to the right code is the only one that shows the recovery codes; the sign-in goes on
 * from there.
 */
export function submitMfaEnrol(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const { enrol } = step.state
    const proven = enrol && begunBy(enrol)
    if (!proven || !(await findProven(deps, proven))) return step.startOver()
    const { code, enrolment } = textsOf(ctx, 'code', 'enrolment')
    let refused: RefusedEnrolment | undefined
    await refusable(
      ctx,
      async () => {
        refuseFaults({ code: codeFault(code) })
        const typed = { accountId: proven.accountId, enrolmentId: enrolment, code }
        const codes = await deps.mfa.confirm(typed, originOf(ctx), {
          sessionId: ownSession(step, proven.accountId),
          shown: shownBy(proven),
        })
        await deps.interactions.remember(step.interaction, {
          ...step.state,
          enrol: { ...enrol, isDone: true },
        })
        renderCodes(ctx, deps, step, codes)
      },
      (problems) => {
        refused = { problems, enrolment }
      },
    )
    if (refused) await renderEnrol(ctx, deps, step, refused)
  }
}

export function showRecoveryCodes(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    renderCodes(ctx, deps, step)
  }
}

/** A first step and a one-time code were both shown in this interaction. */
export function submitRecoveryCodes(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const { enrol, offer } = step.state
    const byPasskey = offer?.isDone ? provenBy(offer) : undefined
    const begun = enrol?.isDone ? begunBy(enrol) : undefined
    const proven = byPasskey ?? (begun && { ...begun, proofs: [...begun.proofs, TOTP] })
    if (!proven || !(await findProven(deps, proven))) return step.startOver()
    await finishSignIn(ctx, deps, step, proven)
  }
}

/** What was shown before it was begun; undefined where another version kept it. */
function begunBy({ amr, methods = [firstStepOf(amr)?.id ?? ''], ...enrol }: Enrol) {
  return provenBy({ ...enrol, methods })
}

/** The session of this browser, if it is the person's who sets it up: this sign-in goes on in it. */
function ownSession({ interaction }: Step, accountId: string): string | undefined {
  const { session } = interaction as { session?: { uid?: string; accountId?: string } }
  return session?.accountId === accountId ? session.uid : undefined
}

async function renderEnrol(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  refused?: RefusedEnrolment,
): Promise<void> {
  const { enrol } = step.state
  const account = enrol && (await findProven(deps, begunBy(enrol)))
  const pending =
    account && !account.mfaEnabled ? await deps.mfa.pendingEnrolment(account) : undefined
  if (!pending) return step.startOver()
  const { id, secret, otpauthUri } = pending
  const form = {
    action: step.url('mfa-enrol'),
    csrf: deps.csrf.token(ctx),
    startOverHref: step.url('login'),
    hidden: { enrolment: id },
    passkeyHref: step.state.offer ? step.url('passkey-offer') : undefined,
    leave: leaveForm(ctx, deps, step),
    problems: enrolmentProblems(refused, pending),
  }
  deps.renderer.page(ctx, 'interaction/mfa-enrol', { ...form, secret, otpauthUri }, step.app)
}

export function renderCodes(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  codes?: readonly string[],
): void {
  const form = { action: step.url('recovery-codes'), csrf: deps.csrf.token(ctx) }
  deps.renderer.page(ctx, 'interaction/recovery-codes', { ...form, codes }, step.app)
}
