import type { ProvenSignIn } from '../../accounts/first-step.ts'
import type { InteractionDeps, Step } from './interaction.ts'
import { newcomerOf, waitingState } from './newcomer.ts'

/**
 * Somebody has signed in who came by a provider before, and is not known by it: if this is the
 * account of that address, they are asked whether the two belong together (UP-02).
 */
export async function askToConnect(
  deps: InteractionDeps,
  step: Step,
  {
    accountId,
    credentialVersion,
    isRemembered,
    proofs,
  }: ProvenSignIn & { readonly isRemembered: boolean },
): Promise<boolean> {
  const newcomer = await newcomerOf(deps, step)
  const account = newcomer && (await deps.accounts.findActive(accountId))
  if (!newcomer || account?.email !== newcomer.waiting.email) return false
  const methods = proofs.map(({ id }) => id)
  const proven = { accountId, credentialVersion, isRemembered, methods }
  await step.goOn(waitingState(step, { ...newcomer.waiting, stage: 'confirm', proven }))
  return true
}
