import { median } from '../test/support/statistics.ts'
import { sampleOf } from './measure.ts'
import type { Operation } from './operations.ts'
import { type Effort, sizesOf } from './rounds.ts'
import type { Target } from './target.ts'

/** By operation: what two processes can serve over what one can. */
export type TwoProcesses = Readonly<Record<string, number>>

/**
 * G17: two processes on one storage, each with a core of its own. The generator's processor time is
 * accounted out: a process serves one operation in the time that the operation costs it, and that
 * is asked again with the other at work.
 */
export async function twoProcesses(
  [first, second]: readonly [Target, Target],
  operations: readonly Operation[],
  effort: Effort,
): Promise<TwoProcesses> {
  const ratios: Record<string, number> = {}
  for (const operation of operations) {
    const { warmUp, count } = sizesOf(operation, effort)
    await sampleOf(second, operation, warmUp)
    const alone: number[] = []
    const together: number[] = []
    for (let round = 0; round < effort.rounds; round++) {
      alone.push((await sampleOf(first, operation, count)).cpuUs)
      const both = await Promise.all(
        [first, second].map((target) => sampleOf(target, operation, count)),
      )
      together.push(...both.map(({ cpuUs }) => cpuUs))
    }
    ratios[operation.name] = (2 * median(alone)) / median(together)
  }
  return ratios
}
