import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Redis } from 'ioredis'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { connectTo } from '../support/redis.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** What a failover, a restart or a restore may do: Redis is again as it was a moment before. */
describe('sign-ins that ended, on a Redis that goes back in time', () => {
  let server: TestServer
  let direct: Redis
  beforeAll(async () => {
    server = await startServer({ storage: 'Redis' })
    direct = connectTo(server.redis?.url ?? '')
  })
  afterAll(async () => {
    direct.disconnect()
    await server.stop()
  })

  /** Returns what brings the present state back. */
  async function remember(): Promise<() => Promise<void>> {
    const kept: { key: string; ttl: number; value: string | Record<string, string> }[] = []
    for (const key of await direct.keys('gh:*')) {
      const type = await direct.type(key)
      const ttl = await direct.pttl(key)
      if (type === 'hash') kept.push({ key, ttl, value: await direct.hgetall(key) })
      if (type === 'string') kept.push({ key, ttl, value: (await direct.get(key)) ?? '' })
    }
    return async () => {
      await direct.flushdb()
      for (const { key, ttl, value } of kept) {
        if (typeof value === 'string') await direct.set(key, value)
        else await direct.hset(key, value)
        if (ttl > 0) await direct.pexpire(key, ttl)
      }
    }
  }

  const api = (path: string, method: string, body: object) =>
    send(`${server.origin}/api/auth${path}`, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

  /** One browser with an app that holds tokens and a code, and a second sign-in through the account API. */
  async function signedIn() {
    const account = await createAccount(server)
    const app = await relyingParty(server, { firstParty: true })
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid email' }))
    const { url } = await browser.submit('/login', { username: account.email, password: PASSWORD })
    const { access_token, refresh_token = '' } = await app.redeem(url)
    const unused = (await browser.visit(app.authorizationUrl({ scope: 'openid email' }))).url
    const opened = (await (await api('/sign-in/email', 'POST', { email: account.email, password: PASSWORD })).json()) as {
      refresh_token: string
    }
    const { rows } = await server.context.database.pool.query<{ id: string; door: string }>(
      'select "id", "door" from "session" where "account_id" = $1',
      [account.id],
    )
    const sessionOf = (door: string): string => rows.find((row) => row.door === door)?.id ?? ''

    /** Whatever of it still opens something. */
    async function works() {
      const isGood = (answer: Promise<unknown>) => answer.then(() => true).catch(() => false)
      return {
        userinfo: await isGood(app.userinfo(access_token, account.id)),
        refresh: await isGood(app.refresh(refresh_token)),
        code: await isGood(app.redeem(unused)),
        browser: (await browser.visit(app.authorizationUrl({ scope: 'openid email' }))).isForeign,
        pages: (await browser.visit('/account')).url.pathname === '/account',
        api: (await api('/user/refresh', 'PATCH', { refresh_token: opened.refresh_token })).status === 200,
      }
    }
    return { account, app, browser, works, pages: sessionOf('pages'), door: sessionOf('api') }
  }

  const ALL = { userinfo: true, refresh: true, code: true, browser: true, pages: true, api: true }
  const NONE = { userinfo: false, refresh: false, code: false, browser: false, pages: false, api: false }

  it('all of it works where nothing ended', async () => {
    const person = await signedIn()
    const back = await remember()
    await back()
    expect(await person.works()).toEqual(ALL)
  })

  it('SE-06 PW-10 sign-ins that were all ended stay ended', async () => {
    const person = await signedIn()
    const back = await remember()
    await server.context.sessions.endAll(person.account.id)
    await back()
    expect(await person.works()).toEqual(NONE)
  })

  it('SE-05 a session that was ended stays ended, and the other goes on', async () => {
    const person = await signedIn()
    const back = await remember()
    await server.context.sessions.endSession(person.pages)
    await back()
    expect(await person.works()).toEqual({ ...NONE, api: true })

    const other = await signedIn()
    const backAgain = await remember()
    await server.context.sessions.endSession(other.door)
    await backAgain()
    expect(await other.works()).toEqual({ ...ALL, api: false })
  })

  it('the browser of such a session signs in again with the cookie that it has', async () => {
    const { account, app, browser, pages } = await signedIn()
    const back = await remember()
    await server.context.sessions.endSession(pages)
    await back()
    await browser.visit(app.authorizationUrl({ scope: 'openid email' }))
    const { url } = await browser.submit('/login', { username: account.email, password: PASSWORD })
    const { refresh_token = '' } = await app.redeem(url)
    expect((await app.refresh(refresh_token)).access_token).toBeTruthy()
    expect((await browser.visit('/account')).url.pathname).toBe('/account')
  })
})
