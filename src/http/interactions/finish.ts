import type { Context } from 'koa'
import { amrOf, reaches } from '../../accounts/factors/levels.ts'
import { UPSTREAM } from '../../accounts/factors/methods/upstream.ts'
import { shownBy, stillOpens } from '../../accounts/shown-sign-in.ts'
import type { Account } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import { isHalfway } from '../middleware/reserving-limit.ts'
import { seeOther } from '../see-other.ts'
import { originOf } from '../state.ts'
import { askToConnect } from './connecting.ts'
import type { InteractionDeps, Proven, Step } from './interaction.ts'
import { kept } from './kept-proof.ts'
import { demandedPasskey, offeredPasskey, secondPasskey } from './passkey-due.ts'

/**
 * Every sign-in ends here. Where it is less than is demanded, what is missing is set up first
 * (TF-11); what cannot be set up here ends at the app.
 */
export async function finishSignIn(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  shown: Proven,
): Promise<void> {
  const proven = { ...shown, upstream: shown.upstream ?? cameBy(step, shown) }
  const { level } = step.policy
  const isTrusted = proven.trustedBy !== undefined && step.policy.takesTrust
  if (!isTrusted && !reaches(proven.proofs, level)) {
    if (level === '2fa' && deps.signInPolicy.offers('totp'))
      return beginEnrolment(ctx, deps, step, proven)
    const lacking = await demandedPasskey(deps, proven)
    if (!lacking) return seeOther(ctx, await deps.interactions.unmet(step.interaction))
    isHalfway(ctx)
    const { arrival } = step.state
    return step.goOn({ arrival, came: proven.upstream, offer: lacking })
  }
  if (step.state.arrival?.stage === 'connect' && (await askToConnect(deps, step, proven))) return
  const offer = await offeredPasskey(ctx, deps, step, proven)
  if (offer) return step.goOn({ offer })
  await enter(ctx, deps, step, proven)
}

/** The sign-in is complete: the browser goes back to who asked for it. Returns its device cookie. */
export async function enter(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  proven: Proven,
): Promise<string> {
  const next = await deps.interactions.login(step.interaction, proven)
  try {
    // From here on a reset finds this sign-in and ends it; one that came before it is found here (PW-10).
    const origin = originOf(ctx)
    const known = await deps.devices.arrive(proven, deps.deviceCookie.read(ctx), origin)
    const device = proven.wantsTrust ? await deps.trustedDevices.add(proven, known, origin) : known
    deps.deviceCookie.write(ctx, device)
    seeOther(ctx, next)
    return device
  } catch (error) {
    await deps.interactions.takeBack(step.interaction)
    throw error
  }
}

/** The sign-in at a provider that a second step has followed. */
function cameBy({ state }: Step, { proofs }: Proven): Proven['upstream'] {
  return proofs.some(({ id }) => id === UPSTREAM.id) ? state.came : undefined
}

/**
 * The account, if what was proven of it still opens it: a reset in the meantime ends this sign-in
 * like all others (PW-10), and so does a second factor that it has not shown (PK-06).
 */
export async function findProven(
  { accounts }: InteractionDeps,
  proven: Proven | undefined,
): Promise<Account | undefined> {
  const account = proven && (await accounts.loadActive(proven.accountId))
  return account && stillOpens(account, shownBy(proven)) ? account : undefined
}

async function beginEnrolment(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  proven: Proven,
): Promise<void> {
  const account = await deps.accounts.findActive(proven.accountId)
  if (!account) throw new AppError('invalid_credentials')
  isHalfway(ctx)
  await deps.mfa.enrol(account)
  const enrol = { ...kept(proven), amr: amrOf(proven.proofs), isDone: false }
  const offer = await secondPasskey(deps, proven)
  await step.goOn({ arrival: step.state.arrival, came: proven.upstream, enrol, offer })
}
