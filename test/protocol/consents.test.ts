import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createAccount } from '../support/factories.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

describe('what is remembered of consents', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  it('IN-08 of consents given at once in several tabs none is lost', async () => {
    const { consents } = server.context
    const [account, app] = [await createAccount(server), await relyingParty(server)]
    const tabs = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const resource = 'https://api.example/'
    const allow = (scope: string) =>
      consents.add(account.id, app.clientId, {
        scopes: [scope],
        resourceScopes: { [resource]: [scope] },
        claims: [`claim-${scope}`],
      })
    await Promise.all(tabs.map(allow))
    await allow('a')
    const kept = await consents.find(account.id, app.clientId)
    expect([...(kept?.scopes ?? [])].sort()).toEqual(tabs)
    expect([...(kept?.resourceScopes[resource] ?? [])].sort()).toEqual(tabs)
    expect([...(kept?.claims ?? [])].sort()).toEqual(tabs.map((tab) => `claim-${tab}`))
    expect(await consents.list(account.id)).toHaveLength(1)
  })
})
