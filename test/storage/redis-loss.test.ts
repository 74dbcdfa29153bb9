import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Redis } from 'ioredis'
import { randomToken } from '../../src/crypto/token.ts'
import type { ArtifactStore, ContextAdapter } from '../../src/oidc/adapters/adapter.ts'
import { createRedisStore } from '../../src/oidc/adapters/redis-store.ts'
import { openRedis, type RedisConnection } from '../../src/redis/redis.ts'
import {
  connectTo,
  findServer,
  startServer as startRealRedis,
  startRedis,
  type TestRedis,
} from '../support/redis.ts'
import { HOUR, type Model, newOwner, type Owner, sample } from './contract/samples.ts'
import { redisThatSays } from './redis-stub.ts'

const TOKENS = ['AuthorizationCode', 'AccessToken', 'RefreshToken', 'DeviceCode'] as const
/** What stands between the braces tells one artifact or record from another; this is what stands before. */
const KINDS = [
  ...TOKENS,
  'Session',
  'Grant',
  'Interaction',
  'session',
  'scope',
  'account',
  'grant',
  'lookup',
]

interface Stored {
  readonly model: Model
  readonly id: string
}

describe('the rule of absence', () => {
  let redis: TestRedis
  let direct: Redis
  let connection: RedisConnection
  let store: ArtifactStore

  beforeAll(async () => {
    redis = await startRedis()
    direct = connectTo(redis.url)
    connection = await openRedis({ urls: [redis.url], sentinels: [] }, { commandMs: 30_000 })
    store = createRedisStore({ redis: connection, leewaySeconds: () => 0 })
  })
  afterAll(async () => {
    direct.disconnect()
    await connection[Symbol.asyncDispose]()
    await redis[Symbol.asyncDispose]()
  })

  /** A sign-in with everything that hangs on it; half of the tokens end with the session. */
  async function signIn(owner: Owner) {
    const session = sample('Session', owner)
    await store.adapterFor('Session').upsert(session.id, session.payload, HOUR)
    const stored: Stored[] = [{ model: 'Session', id: session.id }]
    const tokens = TOKENS.flatMap((model) => [
      { model, expiresWithSession: true },
      { model, expiresWithSession: false },
    ])
    for (const { model, ...more } of [
      { model: 'Grant' as const },
      { model: 'Interaction' as const },
      ...tokens,
    ]) {
      const { id, payload } = sample(model, owner)
      await store.adapterFor(model).upsert(id, { ...payload, ...more }, HOUR)
      stored.push({ model, id })
    }
    return { owner, session, stored }
  }

  async function alive(stored: readonly Stored[]): Promise<string[]> {
    const found: string[] = []
    for (const { model, id } of stored) {
      const payload = await store.adapterFor(model).find(id)
      if (payload && payload.consumed === undefined) found.push(`${model} ${id}`)
    }
    return found
  }

  it.each(KINDS)(
    'F08 every key gh:%s:* lost, right after access ended: none comes back, for late requests neither',
    async (kind) => {
      await direct.flushdb()
      const owners = Array.from({ length: 5 }, newOwner)
      const signIns = await Promise.all(owners.map(signIn))
      const [revoked, ended, dropped, kept, spent] = signIns
      if (!revoked || !ended || !dropped || !kept || !spent) throw new Error('five signed in')
      const all = signIns.flatMap(({ stored }) => stored)
      expect((await alive(all)).length).toBe(all.length)
      for (const { session } of signIns) await store.adapterFor('Session').find(session.id)

      await store.revokeByAccount(revoked.owner.accountId)
      await store.revokeBySession(ended.owner.sessionUid)
      await store.revokeByAccountAndClient(dropped.owner.accountId, dropped.owner.clientId)
      for (const { model, id } of spent.stored.filter(({ model }) =>
        TOKENS.includes(model as never),
      ))
        await store.adapterFor(model).consume(id)
      const before = await alive(all)

      for (const key of await direct.keys(`gh:${kind}:*`)) await direct.del(key)
      const over = [revoked, ended]
      const late: Stored[] = []
      for (const { owner, session } of over) {
        await store.adapterFor('Session').upsert(session.id, session.payload, HOUR)
        const code = sample('AuthorizationCode', owner)
        await store.adapterFor('AuthorizationCode').upsert(code.id, code.payload, HOUR)
        late.push({ model: 'AuthorizationCode', id: code.id })
      }
      expect(await alive(late)).toEqual([])
      // Signing in again opens the same records anew.
      for (const { owner } of signIns)
        await signIn({ ...owner, grantId: randomToken(), sessionUid: randomToken() })
      const after = await alive(all)
      expect(after.filter((artifact) => !before.includes(artifact))).toEqual([])
      for (const { owner } of over)
        expect(await store.adapterFor('Session').findByUid(owner.sessionUid)).toBeUndefined()
    },
  )

  it('leaves no key without an expiry, and none that outgrows its owner', async () => {
    await direct.flushdb()
    const owner = newOwner()
    for (let round = 0; round < 20; round += 1) {
      const { session } = await signIn({
        ...owner,
        grantId: randomToken(),
        sessionUid: randomToken(),
      })
      if (round % 3 === 0) await store.adapterFor('Session').destroy(session.id)
      if (round % 5 === 0)
        await store.revokeByAccount(owner.accountId, {
          exceptSessionUid: String(session.payload.uid),
        })
    }
    for (const key of await direct.keys('gh:*')) {
      const left = await direct.pttl(key)
      expect(left > 0 && left <= HOUR * 1000 ? 'expires' : `${key} ${left}`).toBe('expires')
    }
    for (const key of await direct.keys('gh:account:*'))
      expect(await direct.hlen(key)).toBeLessThanOrEqual(4)
  })

  it('F07 Redis out of memory: what stores is refused (503), what reads works, and what revokes works too', async () => {
    if (!findServer()) {
      await using stub = await redisThatSays('-OOM command not allowed')
      await using full = await openRedis({ urls: [stub.url], sentinels: [] })
      const tokens = createRedisStore({ redis: full, leewaySeconds: () => 0 }).adapterFor(
        'RefreshToken',
      )
      await expect(tokens.find('x')).rejects.toMatchObject({ statusCode: 503 })
      return
    }
    await using server = await startRealRedis([
      '--maxmemory',
      '0',
      '--maxmemory-policy',
      'noeviction',
    ])
    await using full = await openRedis({ urls: [server.url], sentinels: [] }, { commandMs: 30_000 })
    const own = connectTo(server.url)
    store = createRedisStore({ redis: full, leewaySeconds: () => 0 })
    try {
      const signIns = await Promise.all(Array.from({ length: 4 }, () => signIn(newOwner())))
      const [byAccount, bySession, byClient, byGrant] = signIns
      if (!byAccount || !bySession || !byClient || !byGrant) throw new Error('four signed in')
      await own.config('SET', 'maxmemory', '1')

      const token = sample('RefreshToken')
      await expect(
        store.adapterFor('RefreshToken').upsert(token.id, token.payload, HOUR),
      ).rejects.toMatchObject({ statusCode: 503 })
      const code = byGrant.stored.find(({ model }) => model === 'AuthorizationCode')?.id ?? ''
      const codes = store.adapterFor('AuthorizationCode') as ContextAdapter
      await expect(codes.consume(code)).rejects.toMatchObject({ statusCode: 503 })
      await expect(
        codes.exchange(code, [{ model: 'RefreshToken', ...token, expiresIn: HOUR }]),
      ).rejects.toMatchObject({ statusCode: 503 })
      expect(await codes.find(code)).not.toHaveProperty('consumed')
      expect((await alive(byAccount.stored)).length).toBe(byAccount.stored.length)

      await store.revokeByAccount(byAccount.owner.accountId)
      await store.revokeBySession(bySession.owner.sessionUid)
      await store.revokeByAccountAndClient(byClient.owner.accountId, byClient.owner.clientId)
      await store.adapterFor('RefreshToken').revokeByGrantId(byGrant.owner.grantId)
      await store.adapterFor('Session').destroy(byGrant.session.id)
      for (const { stored } of [byAccount, bySession, byClient, byGrant])
        expect((await alive(stored)).filter((artifact) => /Token|Code/.test(artifact))).toEqual([])
      expect(await store.adapterFor('Session').find(byGrant.session.id)).toBeUndefined()
    } finally {
      own.disconnect()
      store = createRedisStore({ redis: connection, leewaySeconds: () => 0 })
    }
  })
})
