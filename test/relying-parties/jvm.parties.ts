import { expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { createAccount } from '../support/factories.ts'
import { PARTIES, TOLD_OF_SIGN_OUTS, WITH_API } from './jvm/parties.ts'
import { partiesOf } from './parties-of.ts'
import { Walker } from './walk.ts'

await partiesOf('jvm', PARTIES, (world) => {
  it('Spring Security as a resource server takes tokens of its API, the person’s too, and no others', async () => {
    await using running = await world().start(WITH_API)
    const walker = new Walker(await createAccount(world().server), world().server.origin, running)
    await walker.open(WITH_API.signIn)
    const called = await walker.open('/call')
    expect([called.status, called.text]).toEqual([200, expect.stringContaining('read')])

    const ask = async (token: string) =>
      await fetch(`http://localhost:${running.port}/api/whoami`, {
        headers: { authorization: `Bearer ${token}` },
      })
    const good = await world().serviceToken(`${running.app}/api`, 'read')
    const answer = await ask(good)
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { scope: 'read', sub: expect.any(String) },
    ])
    const others = [await world().tokenOfAnotherApi('read'), `${good.slice(0, -8)}AAAAAAAA`]
    for (const token of others) expect((await ask(token)).status).toBe(401)
  })

  it('Spring Security ends its session when it is told of the sign-out by the back channel', async () => {
    await using running = await world().start(TOLD_OF_SIGN_OUTS)
    const person = await createAccount(world().server)
    const walker = new Walker(person, world().server.origin, running)
    await walker.open(TOLD_OF_SIGN_OUTS.signIn)
    const isKnown = async () => (await walker.ask('/me')).text.includes(person.email)
    expect(await isKnown()).toBe(true)
    await walker.signOutAtServer()
    await eventually(isKnown, false)
  })
})
