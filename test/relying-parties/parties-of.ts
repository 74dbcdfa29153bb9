import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { note } from '../support/notes.ts'
import { journeys } from './journeys.ts'
import { ofThisRun, type Party } from './party.ts'
import { type Language, missingFor, prepare } from './preparing.ts'
import { World } from './world.ts'

/** All parties of a language, and what else is told of it; skipped where the machine lacks it. */
export async function partiesOf(
  language: Language,
  parties: readonly Party[],
  more: (world: () => World) => void = () => undefined,
): Promise<void> {
  const missing = (await missingFor(language)) ?? (await prepare(language))
  if (missing !== undefined) {
    note(`relying parties in ${language}`, `skipped, this machine has no ${missing}`)
    // oxlint-disable-next-line jest/no-disabled-tests -- the run says so and counts it as skipped
    it.skip(`not on this machine: ${missing}`, () => undefined)
    return
  }
  const tried = ofThisRun(parties)
  const later = parties.filter((party) => !tried.includes(party))
  if (later.length > 0)
    note(`relying parties in ${language}`, `${later.length} more with RELYING_PARTIES=all`)
  describe(`relying parties in ${language}`, () => {
    let world: World
    beforeAll(async () => {
      world = await World.open(language)
    })
    afterAll(() => world[Symbol.asyncDispose]())
    journeys(() => world, tried)
    more(() => world)
  })
}
