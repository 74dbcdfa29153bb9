import type { Context } from 'koa'
import type { ProvenAccount } from '../../accounts/accounts.ts'
import { amrOf, reaches } from '../../accounts/factors/levels.ts'
import type { ProvenSignIn } from '../../accounts/first-step.ts'
import type { Account } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import type { SignedIn } from '../../oidc/sign-in-result.ts'
import { isHalfway } from '../middleware/reserving-limit.ts'
import { seeOther } from '../see-other.ts'
import { originOf } from '../state.ts'
import type { InteractionDeps, Step } from './interaction.ts'

export type Proven = ProvenSignIn & Pick<SignedIn, 'isRemembered'>

/**
 * Every sign-in ends here. Where it is less than is demanded, what is missing is set up first
 * (TF-11); what cannot be set up here ends at the app.
 */
export async function finishSignIn(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  proven: Proven,
): Promise<void> {
  const { level } = step.policy
  if (!reaches(proven.proofs, level)) {
    if (level === '2fa' && deps.signInPolicy.offers('totp'))
      return beginEnrolment(ctx, deps, step, proven)
    return seeOther(ctx, await deps.interactions.unmet(step.interaction))
  }
  const next = await deps.interactions.login(step.interaction, proven)
  try {
    // From here on a reset finds this sign-in and ends it; one that came before it is found here (PW-10).
    deps.deviceCookie.write(
      ctx,
      await deps.devices.arrive(proven, deps.deviceCookie.read(ctx), originOf(ctx)),
    )
  } catch (error) {
    await deps.interactions.takeBack(step.interaction)
    throw error
  }
  seeOther(ctx, next)
}

/**
 * The account, if what was proven of it still holds: a reset in the meantime ends this sign-in like
 * all others (PW-10).
 */
export async function findProven(
  { accounts }: InteractionDeps,
  { accountId, credentialVersion }: ProvenAccount,
): Promise<Account | undefined> {
  const account = await accounts.loadActive(accountId)
  return account?.credentialVersion === credentialVersion && !account.mustResetPassword
    ? account
    : undefined
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
  const { accountId, proofs, isRemembered, credentialVersion } = proven
  await step.goOn({
    enrol: {
      accountId,
      amr: amrOf(proofs),
      methods: proofs.map(({ id }) => id),
      isRemembered,
      credentialVersion,
      isDone: false,
    },
  })
}
