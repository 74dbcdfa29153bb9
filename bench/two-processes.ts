import { median, sampleOf } from './measure.ts'
import { operationNamed } from './operations.ts'
import type { Effort } from './rounds.ts'
import type { Target } from './target.ts'

const NAMES = ['discovery', 'client_credentials, JWT', 'refresh with rotation', 'introspection', 'userinfo']

export type TwoProcesses = Readonly<Record<string, number>>

/**
 * G17: what two processes on one storage can serve over what one can, each with a core of its own. The generator's processor time is
 * accounted out: a process serves one operation in the time that the operation costs it, and that is asked again with the other at work.
 */
export async function twoProcesses(first: Target, second: Target, { rounds, warmUp, count }: Effort): Promise<TwoProcesses> {
  const ratios: Record<string, number> = {}
  for (const operation of NAMES.map(operationNamed)) {
    await sampleOf(second, operation, warmUp)
    const alone: number[] = []
    const together: number[] = []
    for (let round = 0; round < rounds; round++) {
      alone.push((await sampleOf(first, operation, count)).cpuUs)
      const both = await Promise.all([first, second].map((target) => sampleOf(target, operation, count)))
      together.push(...both.map(({ cpuUs }) => cpuUs))
    }
    ratios[operation.name] = (2 * median(alone)) / median(together)
  }
  return ratios
}
