import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Redis } from 'ioredis'
import { createRedisStore } from '../../src/oidc/adapters/redis-store.ts'
import { openRedis } from '../../src/redis/redis.ts'
import { describeArtifactStore } from '../storage/adapter-contract.ts'
import { HOUR, sample } from '../storage/contract/samples.ts'
import { RedisStorages } from '../storage/redis-store.ts'
import { type RedisCluster, startCluster } from './redis-cluster.ts'

const CODES = 300
const OUTAGE_MS = 15_000

let cluster: RedisCluster
let masters: Redis[]
let storages: RedisStorages

beforeAll(async () => {
  cluster = await startCluster()
  masters = await cluster.masters()
  storages = new RedisStorages({ urls: cluster.urls, sentinels: [] }, async () => masters)
}, 60_000)
afterAll(async () => {
  await storages[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
})

describeArtifactStore('Redis Cluster of six', () => storages.make())

describe('a Redis Cluster', () => {
  it('spreads artifacts over all masters', async () => {
    const store = (await storages.make()).open()
    await Promise.all(
      Array.from({ length: 100 }, () => sample('AccessToken')).map(({ id, payload }) =>
        store.adapterFor('AccessToken').upsert(id, payload, HOUR),
      ),
    )
    for (const master of masters) expect(await master.dbsize()).toBeGreaterThan(20)
  })

  it('F05 survives a master killed under load: 503 for a while, no code is spent twice, and what lived lives', async () => {
    await using redis = await openRedis({ urls: cluster.urls, sentinels: [] })
    const store = createRedisStore({ redis, leewaySeconds: () => 0 })
    const codes = Array.from({ length: CODES }, () => sample('AuthorizationCode'))
    const adapter = store.adapterFor('AuthorizationCode')
    for (const { id, payload } of codes) await adapter.upsert(id, payload, HOUR)
    await new Promise((resolve) => setTimeout(resolve, 300))

    const successes = new Map<string, number>()
    const others = new Set<string>()
    const spend = async (id: string): Promise<boolean> => {
      try {
        await adapter.consume(id)
        successes.set(id, (successes.get(id) ?? 0) + 1)
        return true
      } catch (error) {
        const { error: refusal, code } = error as { error?: string; code?: string }
        if (refusal !== 'invalid_grant' && code !== 'unavailable') others.add(String(error))
        return refusal === 'invalid_grant'
      }
    }
    const begun = performance.now()
    const [first] = cluster.servers
    for (const [index, { id }] of codes.entries()) {
      if (index === 100 && first?.pid) process.kill(first.pid, 'SIGKILL')
      await spend(id)
    }
    const until = performance.now() + OUTAGE_MS
    for (const { id } of codes) {
      while (!(await spend(id)) && performance.now() < until)
        await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect([...others]).toEqual([])
    expect([...successes.values()].filter((times) => times > 1)).toEqual([])
    expect(performance.now() - begun).toBeLessThan(OUTAGE_MS + 10_000)
    for (const { id } of codes) expect(await adapter.find(id)).toHaveProperty('consumed')
  }, 60_000)
})
