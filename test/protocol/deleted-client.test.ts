import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { isAlive, startApi } from '../support/api.ts'
import { eventually } from '../support/eventually.ts'
import { signedInApp } from '../support/protocol.ts'
import type { TestServer } from '../support/server.ts'
import { STORAGES } from '../support/storages.ts'

describe.each(STORAGES)('a deleted client, tokens in %s', (storage) => {
  let server: TestServer
  beforeAll(async () => {
    server = await startApi({ storage })
  })
  afterAll(() => server.stop())

  it('CL-01 TK-06 loses what it holds at the next call, and one of the same name gets none of it', async () => {
    const app = await signedInApp(server, { accountApi: true })
    const { clientId } = app.client
    const account = { resource: `${server.origin}/api/auth`, scope: 'openid account' }
    const held = (await app.redeem(await app.code(account))).body
    const opaque = (await app.redeem(await app.code())).body
    const userinfo = async () => {
      const headers = { authorization: `Bearer ${opaque.access_token}` }
      return (await fetch(`${server.origin}/userinfo`, { headers })).status
    }
    expect([await isAlive(server, held.access_token), await userinfo()]).toEqual([true, 200])

    const { clients, database } = server.context
    await clients.delete(clientId)
    await eventually(() => isAlive(server, held.access_token), false)
    expect(await userinfo()).toBe(401)
    expect(await app.refresh(held.refresh_token)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    })
    for (const table of ['consent', 'session_proof']) {
      const where = [`select from "${table}" where "client_id" = $1`, [clientId]] as const
      expect((await database.pool.query(where[0], [...where[1]])).rowCount).toBe(0)
    }

    // Tokens tell their age in whole seconds.
    await sleep(1100)
    await clients.create({ id: clientId, name: 'Another', redirectUris: [app.client.redirectUri] })
    await eventually(async () => (await clients.get(clientId)).client.name, 'Another')
    expect(await isAlive(server, held.access_token)).toBe(false)
    expect(await userinfo()).toBe(401)
  })
})
