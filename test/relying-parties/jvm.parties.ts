import { expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { createAccount } from '../support/factories.ts'
import { note } from '../support/notes.ts'
import { companyLogin } from './jvm/company-login.ts'
import { PARTIES, TOLD_OF_SIGN_OUTS, WITH_API } from './jvm/parties.ts'
import { partiesOf } from './parties-of.ts'
import { ofThisRun, TRIES_ALL } from './party.ts'
import { Walker } from './walk.ts'

await partiesOf('jvm', PARTIES, (world) => {
  it.each(ofThisRun(WITH_API))(
    '$name $version takes tokens of the API, the person’s too, and no others',
    async (party) => {
      await using running = await world().start(party)
      const walker = new Walker(await createAccount(world().server), world().server.origin, running)
      await walker.open(party.signIn)
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
    },
  )

  it.each(ofThisRun(TOLD_OF_SIGN_OUTS))(
    '$name $version ends its session when the person signs out at the server',
    async (party) => {
      await using running = await world().start(party)
      const person = await createAccount(world().server)
      const walker = new Walker(person, world().server.origin, running)
      await walker.open(party.signIn)
      const isKnown = async () => (await walker.ask('/me')).text.includes(person.email)
      expect(await isKnown()).toBe(true)
      await walker.signOutAtServer()
      await eventually(isKnown, false)
    },
  )

  if (TRIES_ALL) companyLogin()
  else note('Keycloak as a company’s login', 'only with RELYING_PARTIES=all')
})
