import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
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

  it('keeps artifacts in Redis and none in PostgreSQL', async () => {
    const account = await createAccount(server)
    const { app, tokens } = await signedIn(account)
    expect(tokens.claims()?.sub).toBe(account.id)
    const next = await app.refresh(tokens.refresh_token ?? '')
    expect((await app.userinfo(next.access_token, account.id)).email).toBe(account.email)
    const { rows } = await server.context.database.pool.query<{ model: string }>('select "model" from "oidc_artifact"')
    expect(rows).toEqual([])
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
