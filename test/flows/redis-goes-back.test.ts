import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Redis } from 'ioredis'
import { api, signIn, startApi } from '../support/api.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { signedInApp } from '../support/protocol.ts'
import { connectTo } from '../support/redis.ts'
import { relyingParty } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'

/** What a failover, a restart or a restore may do: Redis is again as it was a moment before. */
describe('sign-ins that ended, on a Redis that goes back in time', () => {
  let server: TestServer
  let direct: Redis
  beforeAll(async () => {
    server = await startApi({ storage: 'Redis' })
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

  /** One browser with an app that holds tokens and a code, and a second sign-in through the account API. */
  async function signedIn() {
    const account = await createAccount(server)
    const app = await relyingParty(server, { firstParty: true })
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid email' }))
    const { url } = await browser.submit('/login', { username: account.email, password: PASSWORD })
    const { access_token, refresh_token = '' } = await app.redeem(url)
    const unused = (await browser.visit(app.authorizationUrl({ scope: 'openid email' }))).url
    const { refreshToken, sessionId } = await signIn(server, {
      email: account.email,
      password: PASSWORD,
    })
    const inBrowser =
      (await server.context.sessions.list(account.id)).find(({ door }) => door === 'pages')?.id ??
      ''

    /** What of it still opens something, and what the rest is refused with. */
    async function works() {
      const outcome = (answer: Promise<unknown>) =>
        answer.then(
          () => 'yes',
          ({ error, status }: { error?: string; status?: number }) => error ?? status,
        )
      return {
        userinfo: await outcome(app.userinfo(access_token, account.id)),
        refresh: await outcome(app.refresh(refresh_token)),
        code: await outcome(app.redeem(unused)),
        browser: (await browser.visit(app.authorizationUrl({ scope: 'openid email' }))).step,
        pages: (await browser.visit('/account')).step ?? 'yes',
        api: (await api(server, 'PATCH /user/refresh', { refresh_token: refreshToken })).status,
      }
    }
    return { account, app, browser, works, inBrowser, byApi: sessionId }
  }

  const ALL = {
    userinfo: 'yes',
    refresh: 'yes',
    code: 'yes',
    browser: 'app',
    pages: 'yes',
    api: 200,
  }
  const REFUSED = {
    userinfo: 401,
    refresh: 'invalid_grant',
    code: 'invalid_grant',
    browser: 'login',
    pages: 'login',
  }

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
    expect(await person.works()).toEqual({ ...REFUSED, api: 401 })
  })

  it('SE-05 a session that was ended stays ended, and the other goes on', async () => {
    const person = await signedIn()
    const back = await remember()
    await server.context.sessions.endSession(person.inBrowser)
    await back()
    expect(await person.works()).toEqual({ ...REFUSED, api: 200 })

    const other = await signedIn()
    const backAgain = await remember()
    await server.context.sessions.endSession(other.byApi)
    await backAgain()
    expect(await other.works()).toEqual({ ...ALL, api: 401 })
  })

  it('TK-03 TK-04 a refresh whose answer the new master never heard of is refused, however often it comes: there is no second child', async () => {
    const { app, api: refreshed } = await withTokens()
    const back = await remember()
    const first = [await app.use(), await refreshed.use()]
    expect(first.map(({ status }) => status)).toEqual([200, 200])
    await back()
    for (const { use, refusal } of [app, refreshed]) {
      const again = await Promise.all(Array.from({ length: 20 }, use))
      expect(new Set(again.map(({ status }) => status))).toEqual(new Set([refusal]))
    }
  })

  /** Refresh tokens of both doors, each with what uses it. */
  async function withTokens() {
    const account = await createAccount(server)
    const app = await signedInApp(server, { refreshLeewaySeconds: 60 })
    const { body } = await app.redeem(await app.code())
    const { refreshToken } = await signIn(server, { email: account.email, password: PASSWORD })
    return {
      app: { use: () => app.refresh(body.refresh_token), refusal: 400 },
      api: {
        use: () => api(server, 'PATCH /user/refresh', { refresh_token: refreshToken }),
        refusal: 401,
      },
    }
  }

  it('the browser of such a session signs in again with the cookie that it has', async () => {
    const { account, app, browser, inBrowser } = await signedIn()
    const back = await remember()
    await server.context.sessions.endSession(inBrowser)
    await back()
    await browser.visit(app.authorizationUrl({ scope: 'openid email' }))
    const { url } = await browser.submit('/login', { username: account.email, password: PASSWORD })
    const { refresh_token = '' } = await app.redeem(url)
    expect((await app.refresh(refresh_token)).access_token).toBeTruthy()
    expect((await browser.visit('/account')).url.pathname).toBe('/account')
  })
})
