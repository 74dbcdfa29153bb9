import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Adapter, StoreAdapter } from '../../src/oidc/adapters/adapter.ts'
import type { FindAccount } from '../../src/oidc/find-account.ts'
import { standing } from '../../src/oidc/standing.ts'
import { eventually } from '../support/eventually.ts'
import { authorizationUrl, basic, get, nobody, post, signedInApp } from '../support/protocol.ts'
import type { TestServer } from '../support/server.ts'
import { STORAGES } from '../support/storages.ts'

/** How often the prefetch was asked for, instead of doing its work. */
let taken = 0
jest.unstable_mockModule('../../src/oidc/trips/prefetch.ts', () => ({
  prefetching: ({ adapterFor }: { adapterFor: (model: string) => StoreAdapter }) => {
    taken++
    return adapterFor
  },
  findingOnce: (findAccount: FindAccount) => findAccount,
}))
const { startServer } = await import('../support/server.ts')

describe.each(STORAGES)('H2 without the prefetch, on %s', (storage) => {
  let server: TestServer

  beforeAll(async () => {
    server = await startServer({ storage })
  })
  afterAll(() => server.stop())

  const userinfo = async (token: unknown): Promise<number> =>
    (
      await fetch(`${server.origin}/userinfo`, {
        headers: { authorization: `Bearer ${String(token)}` },
      })
    ).status

  it('a sign-in that holds has all that it opened', async () => {
    expect(taken).toBeGreaterThan(0)
    const app = await signedInApp(server)
    const { body } = await app.redeem(await app.code())
    expect(await userinfo(body.access_token)).toBe(200)
    expect((await app.refresh(body.refresh_token)).status).toBe(200)
  })

  it.each([
    ['the fast path', {}],
    ['the engine', { scope: 'openid' }],
  ])('SE-06 a session whose row is gone gives nothing, by %s', async (_way, change) => {
    const app = await signedInApp(server)
    const { body } = await app.redeem(await app.code())
    const code = await app.code()
    await server.context.database.pool.query('delete from "session" where "account_id" = $1', [
      app.account.id,
    ])
    expect(await userinfo(body.access_token)).toBe(401)
    for (const answer of [await app.refresh(body.refresh_token, change), await app.redeem(code)])
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    const page = authorizationUrl(server, app.client.clientId, { prompt: 'none' })
    const cookie = app.browser.jar.header(page) ?? ''
    expect(cookie).not.toBe('')
    const silent = await get(page, { cookie, accept: 'text/html' })
    const { url } = await app.browser.visit(page)
    expect([silent.location?.searchParams.get('error'), url.searchParams.get('error')]).toEqual([
      'login_required',
      'login_required',
    ])
  })

  it('CL-01 a grant from before its client was disabled is void', async () => {
    const app = await signedInApp(server)
    const { body } = await app.redeem(await app.code())
    const code = await app.code()
    await server.context.clients.disable(app.client.clientId)
    await eventually(async () => userinfo(body.access_token), 401)
    // Tokens tell their age in whole seconds.
    await sleep(1100)
    await server.context.clients.enable(app.client.clientId)
    await eventually(async () => (await app.refresh('none')).body.error as string, 'invalid_grant')
    expect(await userinfo(body.access_token)).toBe(401)
    for (const answer of [await app.refresh(body.refresh_token), await app.redeem(code)])
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    for (const token of [body.access_token, body.refresh_token])
      expect(
        (await post(server, '/token/introspection', { token }, basic(app.client))).body,
      ).toEqual({ active: false })
  })
})

describe('what holds of what is stored', () => {
  const asked: string[] = []
  const stored = standing({
    adapterFor: (model) =>
      ({
        find: async (id: string) => {
          asked.push(`${model} ${id.length}`)
          return { clientId: 'app', iat: 5, accountId: 'ada', uid: 'uid' }
        },
        findInContext: async (id: string) => {
          asked.push(`${model} ${id.length}`)
          return { token: {}, grant: { clientId: 'app', iat: 5 }, session: {}, isSpent: false }
        },
      }) as Partial<StoreAdapter> as Adapter,
    findAccount: async () => undefined,
    honours: async () => false,
  })

  it('looks a token up only as the kind that its length tells', async () => {
    const token = nobody()
    for (const model of ['AccessToken', 'ClientCredentials', 'RefreshToken']) {
      await stored(model).find(token)
      await stored(model).findInContext?.(token)
    }
    expect(asked.splice(0)).toEqual(['AccessToken 43', 'AccessToken 43'])
  })

  it('finds no void grant, neither by itself nor with its token, and no session of nobody', async () => {
    expect(await stored('Grant').find('g')).toBeUndefined()
    expect(await stored('Session').find('s')).toBeUndefined()
    expect(await stored('AuthorizationCode').findInContext?.('c')).toMatchObject({
      grant: undefined,
      session: {},
    })
  })
})
