import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { BASIC, type Run, runOf } from './basic.ts'
import { Outside } from './outside.ts'

/** One test under the name of each module. */
export function describeBasicPlan(plan: string, mode: 'form_post' | undefined): void {
  describe(plan, () => {
    let run: Run
    beforeAll(async () => {
      run = await runOf(await Outside.start(), mode)
    })
    afterAll(() => run.outside[Symbol.asyncDispose]())

    for (const [name, module] of Object.entries(BASIC)) it(name, () => module(run))
  })
}
