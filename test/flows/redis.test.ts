import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { AuditEvent } from '../../src/entities/index.ts'
import { Browser } from '../support/browser.ts'
import { createAccount, PASSWORD } from '../support/factories.ts'
import { send } from '../support/http.ts'
import { basic } from '../support/protocol.ts'
import { connectTo, forgetUses, keyOf } from '../support/redis.ts'
import { type RelyingParty, relyingParty } from '../support/relying-party.ts'
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
    await browser.visit(
      app.authorizationUrl({ scope: 'openid email offline_access', prompt: 'consent' }),
    )
    await browser.submit('/login', { username: account.email, password: PASSWORD })
    const back = browser.page?.isForeign
      ? browser.page
      : await browser.submit('/consent', {}, { button: 'allow' })
    return { app, browser, back, tokens: await app.redeem(back.url) }
  }

  it('keeps artifacts in Redis, and in PostgreSQL only that codes and refresh tokens were used', async () => {
    const account = await createAccount(server)
    const { app, tokens } = await signedIn(account)
    expect(tokens.claims()?.sub).toBe(account.id)
    const next = await app.refresh(tokens.refresh_token ?? '')
    expect((await app.userinfo(next.access_token, account.id)).email).toBe(account.email)
    const kept = `select "model", "payload", "grant_id" from "oidc_artifact" where "consumed_at" is not null order by "model"`
    const { rows } = await server.context.database.pool.query(kept)
    const used = {
      clientId: app.clientId,
      grantId: expect.any(String),
      sessionUid: expect.any(String),
    }
    expect(rows).toEqual([
      { model: 'AuthorizationCode', payload: { $used: used }, grant_id: null },
      {
        model: 'RefreshToken',
        payload: { $used: { ...used, next: expect.stringMatching(/^[\w-]{43}$/) } },
        grant_id: null,
      },
    ])
  })

  const APPS = [
    ['a confidential app', {}],
    ['a public app', { secret: null }],
  ] as const

  async function redirected(options: object) {
    const account = await createAccount(server)
    const app = await relyingParty(server, { firstParty: true, ...options })
    const browser = new Browser(server.origin)
    await browser.visit(app.authorizationUrl({ scope: 'openid email' }))
    const { url } = await browser.submit('/login', { username: account.email, password: PASSWORD })
    return { account, app, url }
  }

  /** Spends it 20 times at once on two instances, and makes Redis forget each time that it was used. */
  async function replay(app: RelyingParty, form: Record<string, string>): Promise<unknown[]> {
    const settings = {
      database: { url: server.config.database.url },
      issuer: server.origin,
      config: { redis: server.config.redis },
    }
    await using second = await startServer(settings)
    const direct = connectTo(server.redis?.url ?? '')
    const body = new URLSearchParams({
      ...form,
      ...(app.clientSecret ? {} : { client_id: app.clientId }),
    }).toString()
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...(app.clientSecret ? basic(app) : {}),
    }
    const again = async ({ address }: TestServer) => {
      await forgetUses(direct)
      const answer = await send(`${server.origin}/token`, {
        method: 'POST',
        headers,
        body,
        connect: address,
      })
      return [answer.status, ((await answer.json()) as { error?: string }).error]
    }
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => again(index % 2 === 0 ? server : second)),
    )
    direct.disconnect()
    return [...new Set(answers.map((answer) => answer.join(' ')))]
  }

  it.each(APPS)(
    'F05 TK-01 a code of %s that was used stays so, also where a failover makes Redis forget the use',
    async (_of, options) => {
      const { account, app, url } = await redirected(options)
      const { access_token: first } = await app.redeem(url)
      const code = {
        code: url.searchParams.get('code') ?? '',
        redirect_uri: app.redirectUri,
        code_verifier: app.verifierOf(url),
      }
      expect(await replay(app, { grant_type: 'authorization_code', ...code })).toEqual([
        '400 invalid_grant',
      ])
      expect((await app.userinfo(first, account.id)).email).toBe(account.email)
    },
  )

  it.each(APPS)(
    'TK-04 a refresh token of %s that was rotated stays so, and its family lives',
    async (_of, options) => {
      const { app, url } = await redirected(options)
      const { refresh_token: first = '' } = await app.redeem(url)
      const { refresh_token: second = '' } = await app.refresh(first)
      expect(await replay(app, { grant_type: 'refresh_token', refresh_token: first })).toEqual([
        '400 invalid_grant',
      ])
      expect((await app.refresh(second)).access_token).toBeTruthy()
    },
  )

  it.each(APPS)(
    'TK-03 TK-04 such a refresh token of %s ends its family when it comes after the leeway',
    async (_of, options) => {
      const { app, url } = await redirected(options)
      const { refresh_token: first = '' } = await app.redeem(url)
      const { refresh_token: second = '' } = await app.refresh(first)
      await server.context.database.pool.query(
        `update "oidc_artifact" set "consumed_at" = "consumed_at" - interval '1 minute'`,
      )
      expect(await replay(app, { grant_type: 'refresh_token', refresh_token: first })).toEqual([
        '400 invalid_grant',
      ])
      await expect(app.refresh(second)).rejects.toMatchObject({ error: 'invalid_grant' })
    },
  )

  /** Redis keeps what was spent for ten minutes; here they have passed. */
  async function passTenMinutes(token: string): Promise<void> {
    const direct = connectTo(server.redis?.url ?? '')
    const key = keyOf('RefreshToken', token)
    expect(await direct.pttl(key)).toBeLessThanOrEqual(600_000)
    expect(await direct.del(key)).toBe(1)
    direct.disconnect()
    await server.context.database.pool.query(
      `update "oidc_artifact" set "consumed_at" = "consumed_at" - interval '10 minutes'`,
    )
  }

  it.each(APPS)(
    'TK-03 LG-01 a refresh token of %s that was used long ago ends its family, though Redis has it no more',
    async (_of, options) => {
      const { account, app, url } = await redirected(options)
      const { refresh_token: first = '' } = await app.redeem(url)
      const { refresh_token: second = '' } = await app.refresh(first)
      await passTenMinutes(first)
      await expect(app.refresh(first)).rejects.toMatchObject({ error: 'invalid_grant' })
      await expect(app.refresh(second)).rejects.toMatchObject({ error: 'invalid_grant' })
      await server.context.audit.flush()
      const events = await server.context.database.em
        .fork()
        .find(AuditEvent, { type: 'token_reuse_detected', accountId: account.id })
      expect(events.map(({ clientId, detail }) => [clientId, detail])).toEqual([
        [app.clientId, { kind: 'refresh_token' }],
      ])
    },
  )

  it.each(APPS)(
    'F05 F12 TK-04 what PostgreSQL cannot remember is not answered: codes and refresh tokens of %s',
    async (_of, options) => {
      const { app, url } = await redirected(options)
      const { app: another, url: unused } = await redirected(options)
      const { refresh_token: token = '' } = await app.redeem(url)
      const holder = await server.context.database.pool.connect()
      await holder.query('begin')
      await holder.query('lock table "oidc_artifact" in exclusive mode')
      const refusal = (answer: Promise<unknown>) =>
        answer.catch(({ cause }: { cause?: Response }) => [
          cause?.status,
          cause?.headers.get('retry-after'),
        ])
      const refusals = await Promise.all([app.refresh(token), another.redeem(unused)].map(refusal))
      await holder.query('rollback')
      holder.release()
      expect(refusals).toEqual([
        [503, '1'],
        [503, '1'],
      ])
      expect((await app.refresh(token)).access_token).toBeTruthy()
      await expect(another.redeem(unused)).rejects.toMatchObject({ error: 'invalid_grant' })
    },
  )

  it('SE-06 PW-10 ends every session and token when the account revokes them, on the next request', async () => {
    const account = await createAccount(server)
    const { app, browser, tokens } = await signedIn(account)
    await server.context.access.revokeAccount(account.id)
    await expect(app.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    })
    const again = await browser.visit(app.authorizationUrl({ scope: 'openid email' }))
    expect(again.url.pathname).toMatch(/^\/interaction\//)
  })

  it('signs in through the account API, refreshes, ends the session whose token is used again long after, and logs out', async () => {
    const account = await createAccount(server)
    const call = (method: string, path: string, body: unknown, token?: string) =>
      fetch(`${server.origin}/api/auth${path}`, {
        method,
        body: JSON.stringify(body),
        headers: {
          'content-type': 'application/json',
          ...(token ? { authorization: `Bearer ${token}` } : {}),
        },
      })
    const signIn = await call('POST', '/sign-in/email', {
      email: account.email,
      password: PASSWORD,
    })
    expect(signIn.status).toBe(200)
    const first = (await signIn.json()) as { access_token: string; refresh_token: string }
    const refreshed = await call('PATCH', '/user/refresh', { refresh_token: first.refresh_token })
    expect(refreshed.status).toBe(200)
    const second = (await refreshed.json()) as { access_token: string; refresh_token: string }
    expect((await call('POST', '/user/me', {}, second.access_token)).status).toBe(200)
    const other = (await (
      await call('POST', '/sign-in/email', { email: account.email, password: PASSWORD })
    ).json()) as typeof first
    const renewed = (await (
      await call('PATCH', '/user/refresh', { refresh_token: other.refresh_token })
    ).json()) as typeof first
    await passTenMinutes(other.refresh_token)
    expect(
      (await call('PATCH', '/user/refresh', { refresh_token: other.refresh_token })).status,
    ).toBe(401)
    expect((await call('POST', '/user/me', {}, renewed.access_token)).status).toBe(401)
    expect((await call('DELETE', '/user/logout-all', {}, second.access_token)).status).toBeLessThan(
      300,
    )
    expect(
      (await call('PATCH', '/user/refresh', { refresh_token: second.refresh_token })).status,
    ).toBe(401)
  })
})
