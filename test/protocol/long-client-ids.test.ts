import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startApi } from '../support/api.ts'
import { heard } from '../support/heard.ts'
import { signedInApp } from '../support/protocol.ts'
import type { TestServer } from '../support/server.ts'
import { STORAGES } from '../support/storages.ts'

const LONG = `shop.${'x'.repeat(507)}`

describe.each(STORAGES)('a client_id of 512 characters, grants in %s', (storage) => {
  let server: TestServer
  beforeAll(async () => {
    server = await startApi({ storage })
  })
  afterAll(() => server.stop())

  it('is used like any other: consent, code, refresh, a revocation, and its own API', async () => {
    const app = await signedInApp(server, { clientId: LONG, accountApi: true })
    const { clients, consents, database } = server.context
    expect(app.client.clientId).toBe(LONG)
    await consents.add(app.account.id, LONG, { scopes: ['openid'], resourceScopes: {}, claims: [] })
    const { body } = await app.redeem(await app.code())
    const again = await app.refresh(body.refresh_token)
    expect(again.status).toBe(200)
    const { rows } = await database.pool.query<{ table: string }>(
      `select 'consent' as "table" from "consent" where "client_id" = $1
       union all select 'client_secret' from "client_secret" where "client_id" = $1`,
      [LONG],
    )
    expect(rows.map(({ table }) => table).sort()).toEqual(['client_secret', 'consent'])
    await clients.delete(LONG)
    await heard(server)
    expect(await app.refresh(again.body.refresh_token)).toMatchObject({ status: 401 })
  })
})
