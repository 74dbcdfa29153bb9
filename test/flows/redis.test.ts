import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { basic } from '../support/protocol.ts'
import { connectTo } from '../support/redis.ts'
import { relyingParty } from '../support/relying-party.ts'
import { startServer, type TestServer } from '../support/server.ts'

describe('the flows on Redis', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer({ storage: 'Redis' })
  })
  afterAll(() => server.stop())

  async function signedIn(account: { email: string }) {
    const app = await relyingParty(server, { firstParty: true })
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid email offline_access', prompt: 'consent' }))
    await browser.submit('/login', { username: account.email, password: PASSWORD })
    const back = browser.page?.isForeign ? browser.page : await browser.submit('/consent', {}, { button: 'allow' })
    return { app, browser, back, tokens: await app.redeem(back.url) }
  }

  it('keeps artifacts in Redis, and in PostgreSQL only that a code was used', async () => {
    const account = await createAccount(server)
    const { app, tokens } = await signedIn(account)
    expect(tokens.claims()?.sub).toBe(account.id)
    const next = await app.refresh(tokens.refresh_token ?? '')
    expect((await app.userinfo(next.access_token, account.id)).email).toBe(account.email)
    const kept = `select "model", "payload", "expires_at" <= now() + interval '1 minute' as "isBrief" from "oidc_artifact"`
    const { rows } = await server.context.database.pool.query(kept)
    expect(rows).toEqual([{ model: 'ReplayDetection', payload: {}, isBrief: true }])
  })

  it.each([
    ['a confidential app', {}],
    ['a public app', { secret: null }],
  ])('F05 TK-01 a code of %s that was used stays so, also where a failover makes Redis forget the use', async (_of, options) => {
    const account = await createAccount(server)
    const app = await relyingParty(server, { firstParty: true, ...options })
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid email' }))
    const { url } = await browser.submit('/login', { username: account.email, password: PASSWORD })
    const { access_token: first } = await app.redeem(url)

    const settings = { database: { url: server.config.database.url }, issuer: server.origin, config: { redis: server.config.redis } }
    await using second = await startServer(settings)
    const direct = connectTo(server.redis?.url ?? '')
    const forget = async () => {
      for (const key of await direct.keys('gh:AuthorizationCode:*')) await direct.hdel(key, 'c')
    }
    const form = { grant_type: 'authorization_code', code: url.searchParams.get('code') ?? '', redirect_uri: app.redirectUri }
    const proof = { code_verifier: app.verifierOf(url), ...(app.clientSecret ? {} : { client_id: app.clientId }) }
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...(app.clientSecret ? basic(app) : {}),
    }
    const again = async ({ address }: TestServer) => {
      await forget()
      const sent = { method: 'POST', headers, body: new URLSearchParams({ ...form, ...proof }).toString(), connect: address }
      const answer = await send(`${server.origin}/token`, sent)
      return [answer.status, ((await answer.json()) as { error?: string }).error]
    }
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => again(index % 2 === 0 ? server : second)))
    for (const answer of answers) expect(answer).toEqual([400, 'invalid_grant'])
    expect((await app.userinfo(first, account.id)).email).toBe(account.email)
    direct.disconnect()
  })

  it('F05 a code that PostgreSQL cannot remember is not answered', async () => {
    const account = await createAccount(server)
    const app = await relyingParty(server, { firstParty: true })
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid email' }))
    const { url } = await browser.submit('/login', { username: account.email, password: PASSWORD })
    const { pool } = server.context.database
    await pool.query('alter table "oidc_artifact" rename to "away"')
    const status = await app.redeem(url).catch(({ cause }: { cause?: Response }) => cause?.status)
    await pool.query('alter table "away" rename to "oidc_artifact"')
    expect(status).toBe(500)
  })

  it('SE-06 PW-10 ends every session and token when the account revokes them, on the next request', async () => {
    const account = await createAccount(server)
    const { app, browser, tokens } = await signedIn(account)
    await server.context.access.revokeAccount(account.id)
    await expect(app.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({ error: 'invalid_grant' })
    const again = await browser.visit(app.authorizationUrl({ scope: 'openid email' }))
    expect(again.url.pathname).toMatch(/^\/interaction\//)
  })

  it('signs in through the account API, refreshes, and logs out', async () => {
    const account = await createAccount(server)
    const call = (method: string, path: string, body: unknown, token?: string) =>
      fetch(`${server.origin}/api/auth${path}`, {
        method,
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      })
    const signIn = await call('POST', '/sign-in/email', { email: account.email, password: PASSWORD })
    expect(signIn.status).toBe(200)
    const first = (await signIn.json()) as { access_token: string; refresh_token: string }
    const refreshed = await call('PATCH', '/user/refresh', { refresh_token: first.refresh_token })
    expect(refreshed.status).toBe(200)
    const second = (await refreshed.json()) as { access_token: string; refresh_token: string }
    expect((await call('POST', '/user/me', {}, second.access_token)).status).toBe(200)
    expect((await call('DELETE', '/user/logout-all', {}, second.access_token)).status).toBeLessThan(300)
    expect((await call('PATCH', '/user/refresh', { refresh_token: second.refresh_token })).status).toBe(401)
  })
})
