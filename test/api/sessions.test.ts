import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { OidcArtifact, Session } from '../../src/entities/index.ts'
import { api, canRefresh, form, isAlive, signedIn, signIn, startApi } from '../support/api.ts'
import { type Cluster, startCluster } from '../support/balancer.ts'
import { Browser } from '../support/browser.ts'
import { PASSWORD } from '../support/factories.ts'
import { relyingParty } from '../support/relying-party.ts'
import type { TestServer } from '../support/server.ts'
import { STORAGES } from '../support/storages.ts'

describe.each(STORAGES)('grants in %s', (storage) => {
  let server: TestServer
  beforeAll(async () => {
    server = await startApi({ storage })
  })
  afterAll(() => server.stop())

  const list = async (token: string) =>
    (await api(server, 'GET /user/sessions', undefined, { token })).body.sessions as {
      id: string
      current: boolean
    }[]
  const end = (id: string, token: string) =>
    api(server, `DELETE /user/sessions/${id}`, undefined, { token })

  describe('sessions', () => {
    it('SE-08 are listed with the one of the call, and end one by one', async () => {
      const owner = await signedIn(server)
      const other = await signIn(server, owner)
      const sessions = await list(owner.token)
      expect(sessions).toHaveLength(2)
      expect(new Map(sessions.map(({ id, current }) => [id, current]))).toEqual(
        new Map([
          [owner.sessionId, true],
          [other.sessionId, false],
        ]),
      )
      expect((await end(other.sessionId, owner.token)).status).toBe(204)
      expect([
        await isAlive(server, other.token),
        await canRefresh(server, other.refreshToken),
      ]).toEqual([false, false])
      expect(await isAlive(server, owner.token)).toBe(true)
      expect(await list(owner.token)).toHaveLength(1)
    })

    it('IN-05 those of others are not found, and live on', async () => {
      const [owner, stranger] = [await signedIn(server), await signedIn(server)]
      for (const id of [
        stranger.sessionId,
        'x',
        '%00',
        '%E2%80%A8',
        "' or 1=1 --",
        'a'.repeat(200),
        '..',
      ])
        expect((await end(encodeURI(id), owner.token)).status).toBe(404)
      expect(await isAlive(server, stranger.token)).toBe(true)
    })

    it('are not listed once expired', async () => {
      const owner = await signedIn(server)
      const other = await signIn(server, owner)
      await server.context.database.em
        .fork()
        .nativeUpdate(Session, { id: other.sessionId }, { expiresAt: new Date() })
      expect(await list(owner.token)).toHaveLength(1)
      expect(await isAlive(server, other.token)).toBe(false)
    })

    it('note when they were seen last', async () => {
      const owner = await signedIn(server)
      await server.context.database.pool.query(
        `update "session" set "last_seen_at" = now() - interval '1 hour' where "id" = $1`,
        [owner.sessionId],
      )
      await isAlive(server, owner.token)
      const { body } = await api(server, 'POST /user/me', undefined, { token: owner.token })
      expect(Date.now() - Date.parse(body.session.last_seen_at)).toBeLessThan(10_000)
    })
  })

  describe('signing out', () => {
    it('ends this session, its tokens and nothing else', async () => {
      const owner = await signedIn(server)
      const other = await signIn(server, owner)
      const answer = await api(server, 'DELETE /user/logout', undefined, { token: owner.token })
      expect(answer).toMatchObject({ status: 204, text: '' })
      expect([
        await isAlive(server, owner.token),
        await canRefresh(server, owner.refreshToken),
      ]).toEqual([false, false])
      expect(
        (
          await form(server, '/token/introspection', {
            client_id: 'gatehouse-api',
            token: owner.refreshToken,
          })
        ).body,
      ).toEqual({
        active: false,
      })
      expect(
        (
          await form(server, '/token', {
            client_id: 'gatehouse-api',
            grant_type: 'refresh_token',
            refresh_token: owner.refreshToken,
          })
        ).status,
      ).toBe(400)
      expect([
        await isAlive(server, other.token),
        await canRefresh(server, other.refreshToken),
      ]).toEqual([true, true])
      expect(
        (await api(server, 'DELETE /user/logout', undefined, { token: owner.token })).status,
      ).toBe(401)
    })

    it('SE-06 everywhere ends the sessions of both doors, their tokens, and codes that are under way', async () => {
      const owner = await signedIn(server)
      const others: Awaited<ReturnType<typeof signIn>>[] = []
      for (let device = 0; device < 20; device += 1) others.push(await signIn(server, owner))
      const app = await relyingParty(server, { firstParty: true })
      const browser = new Browser(server.origin)
      await browser.visit(app.authorizationUrl({ scope: 'openid email' }))
      const back = await browser.submit('/login', { username: owner.email, password: PASSWORD })
      const tokens = await app.redeem(back.url)
      const pending = await browser.visit(app.authorizationUrl({ scope: 'openid' }))
      const { tokenId } = (await api(server, 'PATCH /forgot/password', { email: owner.email })).body
      const code = await server.inbox.code(owner.email)

      expect(
        (await api(server, 'DELETE /user/logout-all', undefined, { token: owner.token })).status,
      ).toBe(204)
      for (const { token, refreshToken } of [owner, ...others])
        expect([await isAlive(server, token), await canRefresh(server, refreshToken)]).toEqual([
          false,
          false,
        ])
      await expect(app.refresh(tokens.refresh_token ?? '')).rejects.toMatchObject({
        error: 'invalid_grant',
      })
      await expect(app.userinfo(tokens.access_token)).rejects.toThrow()
      await expect(app.redeem(pending.url)).rejects.toMatchObject({ error: 'invalid_grant' })
      expect(await app.introspect(tokens.access_token)).toEqual({ active: false })
      expect((await browser.visit('/account')).words).not.toContain(owner.email)
      expect(
        (
          await api(server, 'PATCH /forgot/password', {
            email: owner.email,
            password: 'ember quilt nine lantern',
            tokenId,
            code,
          })
        ).body.error,
      ).toBe('invalid_code')
    })

    it('everywhere leaves other people alone', async () => {
      const [owner, stranger] = [await signedIn(server), await signedIn(server)]
      await api(server, 'DELETE /user/logout-all', undefined, { token: owner.token })
      expect([
        await isAlive(server, stranger.token),
        await canRefresh(server, stranger.refreshToken),
      ]).toEqual([true, true])
    })
  })

  describe('on two instances', () => {
    let cluster: Cluster
    beforeAll(async () => {
      cluster = await startCluster(2, { storage, config: { trustedProxyHops: 1 } })
    })
    afterAll(() => cluster.stop())

    it('SE-06 PW-10 what one ends, the other refuses with the next call', async () => {
      const [one, two] = cluster.instances
      if (!one || !two) throw new Error('two instances')
      const owner = await signedIn(one)
      const other = await signIn(two, owner)
      expect([await isAlive(two, owner.token), await isAlive(one, other.token)]).toEqual([
        true,
        true,
      ])

      expect(
        (await api(one, 'DELETE /user/logout', undefined, { token: owner.token })).status,
      ).toBe(204)
      expect([await isAlive(two, owner.token), await canRefresh(two, owner.refreshToken)]).toEqual([
        false,
        false,
      ])
      expect(
        (await api(two, 'DELETE /user/logout-all', undefined, { token: other.token })).status,
      ).toBe(204)
      expect([await isAlive(one, other.token), await canRefresh(one, other.refreshToken)]).toEqual([
        false,
        false,
      ])
    })

    it('TK-03 one refresh token used on both at once gives one successor, however many askers', async () => {
      const [one, two] = cluster.instances
      if (!one || !two) throw new Error('two instances')
      const { refreshToken } = await signedIn(one)
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          api(index % 2 ? one : two, 'PATCH /user/refresh', { refresh_token: refreshToken }),
        ),
      )
      expect(answers.filter(({ status }) => status !== 200)).toEqual([])
      expect(new Set(answers.map(({ body }) => body['refresh_token'])).size).toBe(1)
    })
  })
})

it('SE-06 signing out leaves nothing of the session behind in PostgreSQL', async () => {
  await using server = await startApi()
  const owner = await signedIn(server)
  await api(server, 'DELETE /user/logout', undefined, { token: owner.token })
  const em = server.context.database.em.fork()
  expect(await em.count(OidcArtifact, { accountId: owner.id, model: { $ne: 'Session' } })).toBe(0)
  expect(
    await em.count(OidcArtifact, { accountId: owner.id, model: 'Session', consumedAt: null }),
  ).toBe(0)
  expect(await em.count(Session, { account: owner.id })).toBe(0)
})
