import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { createAccount } from '../support/factories.ts'
import { isPath, type Party } from './party.ts'
import { Walker } from './walk.ts'
import type { RunningParty, World } from './world.ts'

const STARTING_MS = 180_000
/** Every address that `createAccount` makes begins so. */
const PERSON = 'ada.'

/** The end of what it has said. */
const logOf = (running: RunningParty | undefined) => running?.said().slice(-3000)

/** Every party signs a person in, sees the address, refreshes and signs out. */
export function journeys(world: () => World, parties: readonly Party[]): void {
  describe.each(parties)('$name $version', (party) => {
    const { signIn, email, refresh, signOut } = party
    let running: RunningParty | undefined
    let walker: Walker
    beforeAll(async () => {
      const { server } = world()
      running = await world().start(party)
      const person = await createAccount(server)
      if (party.person) await world().command('account', 'set', person.email, ...party.person)
      walker = new Walker(person, server.origin, running)
    }, STARTING_MS)
    afterAll(async () => {
      await running?.[Symbol.asyncDispose]()
    })

    /** What the app shows in the end; with its log, if it never comes to that. */
    const open = (path: string) =>
      walker.open(path).catch((error: Error) => {
        throw new Error(`${error.message}\nThe app said:\n${logOf(running)}`, { cause: error })
      })
    const shown = async (path: string) => {
      const { status, text } = await open(path)
      return `${status} ${text}\n${status >= 500 ? logOf(running) : ''}`
    }

    it('signs a person in', async () => {
      const { status, text } = await open(signIn)
      expect(status < 400 || `${text}\n${logOf(running)}`).toBe(true)
      if (isPath(email)) expect(await shown(email)).toContain(PERSON)
    })

    if (isPath(refresh))
      it('refreshes', async () => {
        const { status, text } = await open(refresh)
        expect(status < 400 || `${text}\n${logOf(running)}`).toBe(true)
        const refreshed = async () => (await world().refreshesOf(running?.clientId ?? '')) > 0
        await eventually(refreshed, true)
        if (isPath(email)) expect(await shown(email)).toContain(PERSON)
      })

    if ('at' in signOut)
      it(`signs out ${signOut.ends === 'both' ? 'here and there' : 'here'}`, async () => {
        await open(signOut.at)
        if (isPath(email)) expect((await walker.ask(email)).text).not.toContain(PERSON)
        if (signOut.ends === 'both') expect(await walker.isSignedOutAtServer(signIn)).toBe(true)
      })
  })
}
