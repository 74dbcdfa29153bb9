import type { InteractionDeps, Proven, Step } from './interaction.ts'
import { kept } from './kept-proof.ts'
import { newcomerOf, type Waiting } from './newcomer.ts'

/**
 * Somebody has signed in who came by a provider before, and is not known by it: if this is the
 * account of that address, they are asked whether the two belong together (UP-02).
 */
export async function askToConnect(
  deps: InteractionDeps,
  step: Step,
  proven: Proven,
): Promise<boolean> {
  const newcomer = await newcomerOf(deps, step)
  const account = newcomer && (await deps.accounts.findActive(proven.accountId))
  if (!newcomer || account?.email !== newcomer.waiting.email) return false
  const arrival: Waiting = { ...newcomer.waiting, stage: 'confirm', proven: kept(proven) }
  await step.goOn({ arrival, came: proven.upstream })
  return true
}
