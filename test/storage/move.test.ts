import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Redis } from 'ioredis'
import { randomToken } from '../../src/crypto/token.ts'
import type { ArtifactStore } from '../../src/oidc/adapters/adapter.ts'
import { lookupDigest } from '../../src/oidc/adapters/artifact-keys.ts'
import { moveToPostgres, moveToRedis } from '../../src/oidc/adapters/move.ts'
import { createPostgresStore } from '../../src/oidc/adapters/postgres-store.ts'
import { createRedisStore } from '../../src/oidc/adapters/redis-store.ts'
import { openRedis, type RedisConnection } from '../../src/redis/redis.ts'
import { run, type Settings, settingsFor } from '../support/commands.ts'
import { useDatabase } from '../support/database.ts'
import { connectTo, startRedis, type TestRedis } from '../support/redis.ts'
import { TEST_SECRETS } from '../support/secrets.ts'
import { GRANTABLE, HOUR, MODELS, type Model, newOwner, sample } from './contract/samples.ts'
import { openPool } from './postgres-store.ts'

const database = useDatabase()
const MOVED = MODELS.filter((model) => model !== 'ReplayDetection')

describe('gatehouse storage move', () => {
  let server: TestRedis
  let direct: Redis
  let redis: RedisConnection
  let pool: ReturnType<typeof openPool>
  let inPostgres: ArtifactStore
  let inRedis: ArtifactStore

  beforeAll(async () => {
    server = await startRedis()
    direct = connectTo(server.url)
    redis = await openRedis({ urls: [server.url], sentinels: [] }, { commandMs: 5000 })
    pool = openPool(database.url, 6)
    const leewaySeconds = () => 0
    inPostgres = createPostgresStore({ pool, leewaySeconds })
    inRedis = createRedisStore({ redis, leewaySeconds })
  })
  afterAll(async () => {
    direct.disconnect()
    await redis[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await pool.end()
  })

  async function empty(): Promise<void> {
    await direct.flushdb()
    await pool.query('truncate "oidc_artifact"')
  }

  /** Two sign-ins with one of everything, and what each of them is found by. */
  async function fill(store: ArtifactStore) {
    const owners = [newOwner(), newOwner()] as const
    const stored: { model: Model; id: string; payload: ReturnType<typeof sample>['payload'] }[] = []
    for (const owner of owners)
      for (const model of MOVED) {
        const { id, payload } = sample(
          model,
          owner,
          GRANTABLE.includes(model as never) ? { nonce: 'a\0b\ud800' } : {},
        )
        await store.adapterFor(model).upsert(id, payload, HOUR)
        stored.push({ model, id, payload })
      }
    const spent = sample('RefreshToken', owners[0])
    await store.adapterFor('RefreshToken').upsert(spent.id, spent.payload, HOUR)
    await store.adapterFor('RefreshToken').consume(spent.id)
    return { owners, stored, spent }
  }

  const ways = [
    {
      to: 'redis',
      from: () => inPostgres,
      into: () => inRedis,
      move: () => moveToRedis({ pool, redis }),
    },
    {
      to: 'postgres',
      from: () => inRedis,
      into: () => inPostgres,
      move: () => moveToPostgres({ pool, redis }),
    },
  ] as const

  it.each(ways)(
    'moves everything that lives to $to, every payload as it was, and nothing stays behind',
    async ({ from, into, move }) => {
      await empty()
      const { stored, spent, owners } = await fill(from())
      const moved = await move()
      expect([...moved.values()].reduce((sum, count) => sum + count, 0)).toBe(stored.length + 1)
      for (const { model, id, payload } of stored) {
        expect(await into().adapterFor(model).find(id)).toEqual(payload)
        expect(await from().adapterFor(model).find(id)).toBeUndefined()
      }
      expect(await into().adapterFor('Session').findByUid(owners[0].sessionUid)).toMatchObject({
        uid: owners[0].sessionUid,
      })
      expect(await into().adapterFor('RefreshToken').find(spent.id)).toHaveProperty('consumed')
      await expect(into().adapterFor('RefreshToken').consume(spent.id)).rejects.toMatchObject({
        error: 'invalid_grant',
      })
    },
  )

  it.each(ways)(
    'what was moved to $to expires and is revoked as if it had always been there',
    async ({ from, into, move }) => {
      await empty()
      const { owners, stored } = await fill(from())
      await move()
      const { rows } = await pool.query<{ seconds: number }>(
        'select extract(epoch from "expires_at" - now())::float8 as "seconds" from "oidc_artifact"',
      )
      const left =
        rows.length > 0
          ? rows.map(({ seconds }) => seconds)
          : [(await direct.pttl((await direct.keys('gh:Grant:*'))[0] ?? '')) / 1000]
      for (const seconds of left) expect(Math.abs(seconds - HOUR)).toBeLessThan(60)

      await into().revokeByAccount(owners[0].accountId)
      const alive = []
      for (const { model, id, payload } of stored)
        if (await into().adapterFor(model).find(id)) alive.push(payload.accountId)
      expect(alive).not.toContain(owners[0].accountId)
      expect(alive).toContain(owners[1].accountId)
    },
  )

  it.each(ways)(
    'is safe to repeat: to $to, it keeps what is newer there and brings no consumed token back',
    async ({ from, into, move }) => {
      await empty()
      const { stored, spent } = await fill(from())
      const grant = stored.find(({ model }) => model === 'Grant')
      const token = stored.find(({ model }) => model === 'RefreshToken')
      if (!grant || !token) throw new Error('both are stored')
      await move()
      await into().adapterFor('RefreshToken').consume(token.id)
      await from().adapterFor('RefreshToken').upsert(token.id, token.payload, HOUR)
      await from().adapterFor('RefreshToken').upsert(spent.id, spent.payload, HOUR)
      await move()
      for (const { id } of [token, spent])
        expect(await into().adapterFor('RefreshToken').find(id)).toHaveProperty('consumed')
      expect(await into().adapterFor('Grant').find(grant.id)).toEqual(grant.payload)
      expect((await move()).size).toBe(0)
    },
  )

  it.each(ways)(
    'a session that $to knows under a newer id, or as ended, stays so; what expired there is replaced',
    async (way) => {
      const { from, into, move } = way
      await empty()
      const [rotated, ended, expired, other] = [newOwner(), newOwner(), newOwner(), newOwner()]
      const older = [rotated, ended, expired, other].map((owner) => sample('Session', owner))
      for (const { id, payload } of older)
        await from().adapterFor('Session').upsert(id, payload, HOUR)
      const there = into().adapterFor('Session')
      const newer = sample('Session', rotated)
      await there.upsert(newer.id, newer.payload, HOUR)
      const trace = sample('Session', ended)
      await there.upsert(trace.id, trace.payload, HOUR)
      await there.destroy(trace.id)
      if (way.to === 'postgres') {
        const late = sample('Session', expired)
        await there.upsert(late.id, late.payload, HOUR)
        await pool.query(
          `update "oidc_artifact" set "expires_at" = now() where "lookup_digest" = $1`,
          [lookupDigest('Session', expired.sessionUid)],
        )
      }

      expect([...(await move())]).toEqual([['Session', 4]])
      expect(await Promise.all(older.map(async ({ id }) => Boolean(await there.find(id))))).toEqual(
        [false, false, true, true],
      )
      expect(await there.find(newer.id)).toEqual(newer.payload)
      expect(await there.findByUid(ended.sessionUid)).toBeUndefined()
      expect((await move()).size).toBe(0)
    },
  )

  it.each(ways)(
    'goes on after it was cut off between copying to $to and deleting',
    async ({ to, from, into, move }) => {
      await empty()
      const { stored, spent } = await fill(from())
      const tokens = Array.from({ length: 600 }, () => sample('AccessToken'))
      await Promise.all(
        tokens.map(({ id, payload }) => from().adapterFor('AccessToken').upsert(id, payload, HOUR)),
      )
      const all = [
        ...stored,
        ...tokens.map((token) => ({ model: 'AccessToken' as const, ...token })),
      ]
      const found = async (store: ArtifactStore) =>
        (await Promise.all(all.map(({ model, id }) => store.adapterFor(model).find(id)))).filter(
          Boolean,
        ).length
      await (to === 'redis' ? cutOffBeforeSessionsGo() : cutOffBeforeAnythingGoes())
      expect(await found(into())).toBeGreaterThan(0)
      expect(await found(from())).toBeGreaterThan(0)

      await move()
      expect([await found(into()), await found(from())]).toEqual([all.length, 0])
      for (const { model, id, payload } of all)
        expect(await into().adapterFor(model).find(id)).toEqual(payload)
      await expect(into().adapterFor('RefreshToken').consume(spent.id)).rejects.toMatchObject({
        error: 'invalid_grant',
      })
      expect((await move()).size).toBe(0)
    },
  )

  /** The second batch holds them: it is copied, and stays where it was. */
  async function cutOffBeforeSessionsGo(): Promise<void> {
    await pool.query(
      `create function cut_off() returns trigger language plpgsql as $$ begin raise exception 'cut off'; end $$`,
    )
    await pool.query(
      `create trigger cut_off before delete on "oidc_artifact" for each row when (old."model" = 'Session') execute function cut_off()`,
    )
    try {
      await expect(moveToRedis({ pool, redis })).rejects.toThrow('cut off')
    } finally {
      await pool.query('drop function cut_off cascade')
    }
  }

  async function cutOffBeforeAnythingGoes(): Promise<void> {
    const refuse = () => Promise.reject(new Error('cut off'))
    const refusing: RedisConnection = {
      isCluster: redis.isCluster,
      evaluate: (...call) => redis.evaluate(...call),
      run: (key, command) =>
        redis.run(key, (client) =>
          command(Object.create(client, { del: { value: refuse } }) as typeof client, key),
        ),
      servers: () => redis.servers(),
      isReady: () => redis.isReady(),
      [Symbol.asyncDispose]: async () => undefined,
    }
    await expect(moveToPostgres({ pool, redis: refusing })).rejects.toThrow('cut off')
  }

  it('moves more than a batch, and neither what has expired nor the trace of an ended session', async () => {
    await empty()
    const tokens = Array.from({ length: 1201 }, () => sample('AccessToken'))
    await Promise.all(
      tokens.map(({ id, payload }) =>
        inPostgres.adapterFor('AccessToken').upsert(id, payload, HOUR),
      ),
    )
    await inPostgres.adapterFor('AccessToken').upsert(randomToken(), tokens[0]?.payload ?? {}, -1)
    const ended = sample('Session')
    await inPostgres.adapterFor('Session').upsert(ended.id, ended.payload, HOUR)
    await inPostgres.adapterFor('Session').destroy(ended.id)
    expect([...(await moveToRedis({ pool, redis }))]).toEqual([['AccessToken', 1201]])
    expect([...(await moveToPostgres({ pool, redis }))]).toEqual([['AccessToken', 1201]])
  })
})

describe('the command', () => {
  it('prints what it moved, and says what it needs without REDIS_URL', async () => {
    await using server = await startRedis()
    const pool = openPool(database.url, 2)
    const store = createPostgresStore({ pool, leewaySeconds: () => 0 })
    await pool.query('truncate "oidc_artifact"')
    const grant = sample('Grant')
    await store.adapterFor('Grant').upsert(grant.id, grant.payload, HOUR)
    await pool.end()
    const config = {
      database,
      issuer: 'http://localhost:3000',
      secrets: TEST_SECRETS,
    }
    const move = async (settings: Settings) => {
      const env = { ...settingsFor({ config }, tmpdir()), ...settings }
      const { stdout, stderr } = await run(['storage', 'move', '--to', 'redis'], env)
      return stdout + stderr
    }
    expect(await move({})).toBe('Set REDIS_URL to the Redis to move to or from.\n')
    expect(await move({ REDIS_URL: server.url })).toBe('Grant\t1\n1 moved to redis and verified\n')
    expect(await move({ REDIS_URL: server.url })).toBe('0 moved to redis and verified\n')
  }, 60_000)
})
