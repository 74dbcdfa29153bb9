import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Redis } from 'ioredis'
import type { ContextAdapter } from '../../src/oidc/adapters/adapter.ts'
import { KEYS } from '../../src/oidc/adapters/redis-keys.ts'
import { createRedisStore } from '../../src/oidc/adapters/redis-store.ts'
import { openRedis, type RedisConnection } from '../../src/redis/redis.ts'
import { keyOf, startRedis, type TestRedis } from '../support/redis.ts'
import { describeArtifactStore } from './adapter-contract.ts'
import { GRANTABLE, HOUR, MODELS, sample } from './contract/samples.ts'
import { RedisStorages } from './redis-store.ts'

let server: TestRedis
let admin: Redis
let storages: RedisStorages

beforeAll(async () => {
  server = await startRedis()
  admin = new Redis(server.url)
  storages = new RedisStorages({ urls: [server.url], sentinels: [] }, async () => [admin])
})
afterAll(async () => {
  await storages[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

describeArtifactStore('Redis', () => storages.make())

describe('the Redis store', () => {
  it('G18 makes one round trip for every adapter call', async () => {
    await using connection = await openRedis(
      { urls: [server.url], sentinels: [] },
      { commandMs: 2000 },
    )
    let calls = 0
    const counting: RedisConnection = {
      ...connection,
      evaluate: (...call) => {
        calls += 1
        return connection.evaluate(...call)
      },
      run: (...call) => {
        calls += 1
        return connection.run(...call)
      },
    }
    const store = createRedisStore({ redis: counting, leewaySeconds: () => 10 })
    for (const model of MODELS) {
      const adapter = store.adapterFor(model) as ContextAdapter
      const { id, payload } = sample(model)
      const attempts = [
        () => adapter.upsert(id, payload, HOUR),
        () => adapter.find(id),
        () => adapter.consume(id).catch(() => undefined),
        () => adapter.destroy(id),
        () => adapter.revokeByGrantId('x'),
        ...(GRANTABLE.includes(model as never) ? [() => adapter.findInContext(id)] : []),
        ...(model === 'Session' ? [() => adapter.findByUid('x')] : []),
        ...(model === 'DeviceCode' ? [() => adapter.findByUserCode('x')] : []),
      ]
      for (const attempt of attempts) {
        calls = 0
        await attempt()
        expect(calls).toBe(1)
      }
    }
  })

  it('makes one round trip of the tokens that are asked for together', async () => {
    await using connection = await openRedis(
      { urls: [server.url], sentinels: [] },
      { commandMs: 2000 },
    )
    let calls = 0
    const evaluate: RedisConnection['evaluate'] = (...call) => {
      calls += 1
      return connection.evaluate(...call)
    }
    const store = createRedisStore({ redis: { ...connection, evaluate }, leewaySeconds: () => 10 })
    const adapters = (['AccessToken', 'RefreshToken'] as const).map((model) => ({
      model,
      adapter: store.adapterFor(model) as ContextAdapter,
    }))
    const asked = adapters.flatMap(({ model, adapter }) =>
      Array.from({ length: 20 }, () => ({ ...sample(model), adapter })),
    )
    await Promise.all(asked.map(({ adapter, id, payload }) => adapter.upsert(id, payload, HOUR)))
    calls = 0
    const found = await Promise.all(asked.map(({ adapter, id }) => adapter.findInContext(id)))
    expect(found.map((each) => each?.token)).toEqual(asked.map(({ payload }) => payload))
    expect(calls).toBe(1)
  })

  it('F16 keeps what only a later version knows in a record that it writes again', async () => {
    const store = (await storages.make()).open()
    for (const model of ['Session', 'Grant', 'Interaction', 'DeviceCode'] as const) {
      const adapter = store.adapterFor(model)
      const { id, payload } = sample(model)
      await adapter.upsert(id, payload, HOUR)
      const key = model === 'Session' ? KEYS.session(payload.uid ?? '') : keyOf(model, id)
      await admin.hset(key, 'zz', 'later value')
      const fixed = await admin.hget(key, 'm')
      if (fixed !== null) await admin.hset(key, 'm', `${fixed} zy later`)
      await adapter.upsert(id, { ...payload, iat: 1 }, HOUR)
      expect(await adapter.find(id)).toEqual({ ...payload, iat: 1 })
      expect(await admin.hget(key, 'zz')).toBe('later value')
      if (fixed !== null) expect((await admin.hget(key, 'm'))?.split(' ')).toContain('zy')
      await adapter.destroy(id)
    }
  })

  it('LG-07 gives every key a time to live', async () => {
    const store = (await storages.make()).open()
    for (const model of MODELS) {
      const { id, payload } = sample(model)
      await store.adapterFor(model).upsert(id, payload, HOUR)
    }
    const keys = await admin.keys('*')
    expect(keys.length).toBeGreaterThan(MODELS.length)
    for (const key of keys) expect([key, (await admin.pttl(key)) > 0]).toEqual([key, true])
  })
})
