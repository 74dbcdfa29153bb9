import { expect, it } from '@jest/globals'
import { createAccount } from '../support/factories.ts'
import { OAUTH2_PROXY, PARTIES, REFRESH_SECONDS } from './go/parties.ts'
import { partiesOf } from './parties-of.ts'
import { Walker } from './walk.ts'

await partiesOf('go', PARTIES, (world) => {
  it('oauth2-proxy refreshes under six requests at once, and nobody is signed out by it', async () => {
    await using running = await world().start(OAUTH2_PROXY)
    const person = await createAccount(world().server)
    const walker = new Walker(person, world().server.origin, running)
    await walker.open(OAUTH2_PROXY.signIn)
    for (let round = 0; round < 3; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, (REFRESH_SECONDS + 1) * 1000))
      const asked = Array.from({ length: 6 }, () => walker.ask('/oauth2/auth'))
      const statuses = (await Promise.all(asked)).map(({ status }) => status)
      expect([statuses, running.said()]).toEqual([Array(6).fill(202), expect.anything()])
    }
    expect(await world().refreshesOf(running.clientId)).toBeGreaterThanOrEqual(3)
  })
})
