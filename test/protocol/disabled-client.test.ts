import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { isAlive, startApi } from '../support/api.ts'
import { eventually } from '../support/eventually.ts'
import { signedInApp } from '../support/protocol.ts'
import type { TestServer } from '../support/server.ts'
import { STORAGES } from '../support/storages.ts'

describe.each(STORAGES)('a disabled client, tokens in %s', (storage) => {
  let server: TestServer
  beforeAll(async () => {
    server = await startApi({ storage })
  })
  afterAll(() => server.stop())

  it('CL-01 TK-06 loses what it holds at the next call, and gets none of it back when it is enabled', async () => {
    const app = await signedInApp(server, { accountApi: true })
    const account = { resource: `${server.origin}/api/auth`, scope: 'openid account' }
    const held = (await app.redeem(await app.code(account))).body
    const opaque = (await app.redeem(await app.code())).body
    const code = await app.code()
    expect(await isAlive(server, held.access_token)).toBe(true)
    expect(await userinfo(server, opaque.access_token)).toBe(200)

    await server.context.clients.disable(app.client.clientId)
    await eventually(() => isAlive(server, held.access_token), false)
    expect(await userinfo(server, opaque.access_token)).toBe(401)
    expect(await app.refresh(held.refresh_token)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    })

    // Tokens tell their age in whole seconds.
    await sleep(1100)
    await server.context.clients.enable(app.client.clientId)
    await eventually(async () => (await app.refresh('none')).body.error as string, 'invalid_grant')
    expect(await isAlive(server, held.access_token)).toBe(false)
    expect(await userinfo(server, opaque.access_token)).toBe(401)
    expect(await app.refresh(held.refresh_token)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    })
    expect(await app.redeem(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })

    const anew = (await app.redeem(await app.code(account))).body
    expect(await isAlive(server, anew.access_token)).toBe(true)
    expect((await app.refresh(anew.refresh_token)).status).toBe(200)
  })
})

async function userinfo({ origin }: TestServer, token: string): Promise<number> {
  return (await fetch(`${origin}/userinfo`, { headers: { authorization: `Bearer ${token}` } }))
    .status
}
