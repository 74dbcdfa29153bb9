import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Redis } from 'ioredis'
import { decodeJwt } from 'jose'
import { AuditEvent } from '../../src/entities/index.ts'
import { idDigest } from '../../src/oidc/adapters/artifact-keys.ts'
import { RefreshAnswers } from '../../src/oidc/tokens/refresh-answers.ts'
import { api, type Json, signIn } from '../support/api.ts'
import { type Cluster, startCluster } from '../support/balancer.ts'
import { createAccount, createResource, type NewClient, PASSWORD } from '../support/factories.ts'
import { type Answer, post, type SignedInApp, signedInApp } from '../support/protocol.ts'
import { connectTo, keyOf } from '../support/redis.ts'
import { TEST_SECRETS } from '../support/secrets.ts'
import type { TestServer } from '../support/server.ts'
import { STORAGES } from '../support/storages.ts'
import { inPostgres, inRedis, type StoredArtifacts } from '../support/stored-artifacts.ts'

const API = 'https://api.example/'
const MANY = 50
const REFUSED = [400, 'invalid_grant']

/** Somebody whose refresh token is used, at one of the doors. */
interface Holder {
  readonly first: string
  readonly accountId: string
  use(token: string, change?: Record<string, string>): Promise<{ status: number; body: Json }>
}

/** The whole product, two instances: every request goes to the other one than the last. */
describe.each(STORAGES)('a refresh that is repeated, in %s', (storage) => {
  let cluster: Cluster
  let server: TestServer
  let direct: Redis | undefined
  let stored: StoredArtifacts

  beforeAll(async () => {
    cluster = await startCluster(2, { storage })
    const [one] = cluster.instances
    if (!one) throw new Error('the cluster has instances')
    server = one
    direct = cluster.redis && connectTo(cluster.redis.url)
    stored = direct ? inRedis(direct) : inPostgres(server)
    await createResource(server, { identifier: API, scopes: ['read', 'write'] })
  })
  afterAll(async () => {
    direct?.disconnect()
    await cluster.stop()
  })

  const balanced = () => ({
    origin: cluster.origin,
    address: { host: '127.0.0.1', port: Number(new URL(cluster.origin).port) },
  })
  const errorOf = ({ status, body }: { status: number; body: Json }) => [status, body.error]

  async function byCode(
    options: NewClient,
    change: Record<string, string> = {},
  ): Promise<Holder & { app: SignedInApp }> {
    const app = await signedInApp(server, options)
    const { body } = await app.redeem(await app.code(change))
    return {
      app,
      first: body.refresh_token,
      accountId: app.account.id,
      use: (token, more) => app.refresh(token, more),
    }
  }

  async function atApi(): Promise<Holder> {
    const { id, email } = await createAccount(server)
    const { refreshToken } = await signIn(server, { email, password: PASSWORD })
    const use = async (token: string): Promise<{ status: number; body: Json }> =>
      api(balanced(), 'PATCH /user/refresh', { refresh_token: token })
    return { first: refreshToken, accountId: id, use }
  }

  const atToken = async (): Promise<Holder> => {
    const { first, accountId } = await atApi()
    const fields = (token: string) => ({
      grant_type: 'refresh_token',
      client_id: 'gatehouse-api',
      refresh_token: token,
    })
    return {
      first,
      accountId,
      use: (token): Promise<Answer> => post(balanced(), '/token', fields(token)),
    }
  }

  /** A leeway that outlasts fifty on a busy machine, where it may be that long. */
  const HOLDERS: [string, () => Promise<Holder>][] = [
    ['an app with a secret', () => byCode({ refreshLeewaySeconds: 60 })],
    [
      'an app with a secret and an API',
      () => byCode({ refreshLeewaySeconds: 60 }, { scope: 'openid read', resource: API }),
    ],
    ['an app without a secret', () => byCode({ secret: null })],
    ['the account API', atApi],
    ['the account API at the token endpoint', atToken],
  ]

  /** What an app holds after it: the same JWT is signed anew. */
  function heldOf({ access_token: access = '', id_token: id, refresh_token: refresh }: Json) {
    const claims = (token: string) => (token.includes('.') ? decodeJwt(token) : token)
    return { access: claims(access), id: id === undefined ? undefined : decodeJwt(id), refresh }
  }

  it.each(HOLDERS)(
    'TK-03 fifty at once by %s get one successor, all the same, and it works',
    async (_who, make) => {
      const { first, use } = await make()
      const answers = await Promise.all(Array.from({ length: MANY }, () => use(first)))
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: MANY }, () => 200))
      const [held, ...others] = answers.map(({ body }) => heldOf(body))
      for (const other of others) expect(other).toEqual(held)
      expect(held?.refresh).not.toBe(first)
      expect((await use(String(held?.refresh))).status).toBe(200)
    },
  )

  it.each(HOLDERS)(
    'TK-03 LG-01 whoever lost the answer asks again: %s; each repeat is audited with its network',
    async (_who, make) => {
      const { first, use, accountId } = await make()
      const answer = await use(first)
      await sleep(1100)
      const again = await use(first)
      expect(again.status).toBe(200)
      expect(heldOf(again.body)).toEqual(heldOf(answer.body))
      expect(again.body.expires_in).toBeLessThan(answer.body.expires_in)
      const rest = ({
        access_token: _access,
        id_token: _id,
        expires_in: _seconds,
        ...others
      }: Json) => others
      expect(rest(again.body)).toEqual(rest(answer.body))
      for (const { context } of cluster.instances) await context.audit.flush()
      const events = await server.context.database.em
        .fork()
        .find(AuditEvent, { type: 'token_refreshed', accountId }, { orderBy: { seq: 1 } })
      expect(events.map(({ detail, ip }) => [detail['isRepeat'] ?? false, ip !== null])).toEqual([
        [false, true],
        [true, true],
      ])
    },
  )

  it('TK-03 the same at both doors of the account API, in turn', async () => {
    const { first, use } = await atApi()
    const answer = await use(first)
    const again = await post(balanced(), '/token', {
      grant_type: 'refresh_token',
      client_id: 'gatehouse-api',
      refresh_token: first,
    })
    expect(heldOf(again.body)).toEqual(heldOf(answer.body))
  })

  it.each(HOLDERS)(
    'TK-03 LG-01 nothing is given again once the successor of %s was used, and the family lives',
    async (_who, make) => {
      const { first, use, accountId } = await make()
      const { body: second } = await use(first)
      const { body: third } = await use(second.refresh_token)
      expect((await use(first)).status).toBeGreaterThanOrEqual(400)
      for (const { context } of cluster.instances) await context.audit.flush()
      const about = { type: 'token_refreshed', outcome: 'failure', accountId } as const
      expect(await server.context.database.em.fork().count(AuditEvent, about)).toBe(1)
      expect(heldOf((await use(second.refresh_token)).body).refresh).toBe(third.refresh_token)
      expect((await use(third.refresh_token)).status).toBe(200)
    },
  )

  it('TK-03 TK-06 a repeat is the same client with the same request: else it is refused, and the family lives', async () => {
    const { first, use, app } = await byCode(
      { refreshLeewaySeconds: 60 },
      { scope: 'openid email' },
    )
    const other = await byCode({})
    const { body } = await use(first, { scope: 'openid' })
    expect(errorOf(await use(first))).toEqual(REFUSED)
    expect(errorOf(await use(first, { scope: 'openid email' }))).toEqual(REFUSED)
    expect(errorOf(await other.use(first, { scope: 'openid' }))).toEqual(REFUSED)
    expect(
      errorOf(await app.refresh(first, { client_id: app.client.clientId, scope: 'openid' }, {})),
    ).toEqual([401, 'invalid_client'])
    expect(heldOf((await use(first, { scope: 'openid' })).body)).toEqual(heldOf(body))
    expect((await use(body.refresh_token)).status).toBe(200)
  })

  it.each<[string, (holder: Holder & { app: SignedInApp }) => Promise<unknown>]>([
    [
      'the account is disabled',
      ({ accountId }) =>
        sql(`update "account" set "status" = 'disabled' where "id" = $1`, accountId),
    ],
    [
      'everything of the account was ended',
      ({ accountId }) => server.context.sessions.endAll(accountId),
    ],
    [
      'the app was taken away',
      ({ accountId, app }) => server.context.access.revokeApp(accountId, app.client.clientId),
    ],
    ['the grant is gone', () => stored.forget('Grant')],
  ])('TK-05 SE-06 SE-07 a repeat is judged like a first use: none when %s', async (_what, end) => {
    const holder = await byCode({ refreshLeewaySeconds: 60 })
    await holder.use(holder.first)
    await end(holder)
    expect(errorOf(await holder.use(holder.first))).toEqual(REFUSED)
  })

  it('TK-03 without a leeway a second use ends the family at once', async () => {
    const { first, use } = await byCode({ refreshLeewaySeconds: 0 })
    const { body } = await use(first)
    expect(errorOf(await use(first))).toEqual(REFUSED)
    expect(errorOf(await use(body.refresh_token))).toEqual(REFUSED)
  })

  it('TK-01 a code is never answered twice: within the leeway it is refused, and what came of it lives', async () => {
    const { app } = await byCode({})
    const code = await app.code()
    const { body } = await app.redeem(code)
    expect(errorOf(await app.redeem(code))).toEqual(REFUSED)
    expect((await app.refresh(body.refresh_token)).status).toBe(200)
  })

  it('TK-13 the spent token with a copy of the storage opens nothing without a key of the server, nor the key without the token', async () => {
    const { first, use, app } = await byCode({ refreshLeewaySeconds: 60 })
    const { body } = await use(first)
    const dump = await stored.dump()
    for (const secret of [first, body.refresh_token, body.access_token])
      expect(dump).not.toContain(secret)
    const { clientId } = app.client
    const asked = { token: first, clientId, asked: '[null,null]' }
    const opened = (keys: readonly string[], change: Partial<typeof asked> = {}) =>
      new RefreshAnswers({ keys, leewaySeconds: () => 60 }).find(
        { findAnswer: () => sealedFor(first) } as never,
        { ...asked, ...change },
      )
    expect(await opened(TEST_SECRETS.keyEncryptionKeys)).toMatchObject({
      refreshToken: body.refresh_token,
    })
    expect(
      await opened([
        'another-key-of-the-server-of-32-characters!',
        ...TEST_SECRETS.keyEncryptionKeys,
      ]),
    ).toBeDefined()
    expect(await opened(['another-key-of-the-server-of-32-characters!'])).toBeUndefined()
    expect(
      await opened(TEST_SECRETS.keyEncryptionKeys, { token: body.refresh_token }),
    ).toBeUndefined()
    expect(await opened(TEST_SECRETS.keyEncryptionKeys, { clientId: 'another' })).toBeUndefined()
  })

  it('TK-13 a minute after the leeway no sealed answer is stored any more', async () => {
    const { first, use } = await byCode({ refreshLeewaySeconds: 1 })
    await use(first)
    expect(await sealedFor(first)).toBeDefined()
    expect(await stored.secondsLeft('RefreshAnswer')).toBeLessThanOrEqual(60)
    if (direct) expect(await direct.pttl(keyOf('RefreshAnswer', first))).toBeLessThanOrEqual(1000)
    await sleep(1100)
    await server.context.answerJobs.runOnce()
    expect(await sealedFor(first)).toBeUndefined()
    expect(server.context.answerJobs.longestPauseMs).toBeLessThan(60_000)
  })

  // A Redis that stands still is given up within 250 ms: what waits, waits for PostgreSQL.
  if (storage === 'PostgreSQL')
    it('TK-03 counts the leeway from when a request was there, however long it waits: of thirty none ends the family', async () => {
      const { first, use } = await byCode({ refreshLeewaySeconds: 2 })
      const { body } = await use(first)
      await sleep(800)
      const holder = await server.context.database.pool.connect()
      await holder.query('begin')
      await holder.query('lock table "oidc_artifact" in access exclusive mode')
      const late = Array.from({ length: 30 }, () => use(first))
      await sleep(1500)
      await holder.query('rollback')
      holder.release()
      for (const answer of await Promise.all(late)) expect(errorOf(answer)).toEqual(REFUSED)
      expect((await use(body.refresh_token)).status).toBe(200)
    })

  it('TK-03 an app that authenticates may do without rotation: its refresh token stays', async () => {
    const { first, use } = await byCode({ refreshRotation: 'never' })
    for (const change of [undefined, { scope: 'openid' }, undefined]) {
      const { status, body } = await use(first, change)
      expect([status, body.refresh_token]).toEqual([200, first])
    }
    const answers = await Promise.all(Array.from({ length: MANY }, () => use(first)))
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.refresh_token}`))).toEqual(
      new Set([`200 ${first}`]),
    )
  })

  const sql = (text: string, ...values: unknown[]) =>
    server.context.database.pool.query(text, values)

  /** As it is stored. */
  async function sealedFor(token: string): Promise<string | undefined> {
    if (direct) {
      const payload = await direct.hget(keyOf('RefreshAnswer', token), 'p')
      return payload === null ? undefined : (JSON.parse(payload) as { $answer: string }).$answer
    }
    const digest = idDigest('RefreshAnswer', token)
    const { rows } = await sql(
      `select "payload" from "oidc_artifact" where "model" = 'RefreshAnswer' and "id_digest" = $1`,
      digest,
    )
    return (rows[0] as { payload: { $answer: string } } | undefined)?.payload.$answer
  }
})
