import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Redis } from 'ioredis'
import type { ArtifactStore, ContextAdapter } from '../../src/oidc/adapters/adapter.ts'
import { moveToPostgres, moveToRedis } from '../../src/oidc/adapters/move.ts'
import { createPostgresStore } from '../../src/oidc/adapters/postgres-store.ts'
import { createRedisStore, withUsesIn } from '../../src/oidc/adapters/redis-store.ts'
import { openRedis, type RedisConnection } from '../../src/redis/redis.ts'
import { deleteExpired } from '../../src/retention/jobs.ts'
import { useDatabase } from '../support/database.ts'
import { connectTo, forgetUses, keyOf, startRedis, type TestRedis } from '../support/redis.ts'
import { HOUR, newOwner, sample } from './contract/samples.ts'
import { openPool } from './postgres-store.ts'

const LEEWAY = 10
const NOBODY = { clientId: '', grantId: '', sessionUid: '' }
const SPENT = ['AuthorizationCode', 'RefreshToken'] as const
const refused = { error: 'invalid_grant', statusCode: 400 }

const database = useDatabase()

/** The calls for a Cluster work on one server too, where all slots are. */
const SHAPES = [
  { name: 'one server', isCluster: false },
  { name: 'a Cluster', isCluster: true },
]

describe.each(SHAPES)(
  'uses that PostgreSQL remembers for Redis, with the calls for $name',
  ({ isCluster }) => {
    let server: TestRedis
    let direct: Redis
    let pool: ReturnType<typeof openPool>
    let connections: RedisConnection[]
    let stores: readonly [ArtifactStore, ArtifactStore]

    beforeAll(async () => {
      server = await startRedis()
      direct = connectTo(server.url)
      pool = openPool(database.url, 6)
      connections = await Promise.all(
        [0, 1].map(() => openRedis({ urls: [server.url], sentinels: [] }, { commandMs: 30_000 })),
      )
      stores = [store(0), store(1)]
    })
    afterAll(async () => {
      direct.disconnect()
      for (const connection of connections) await connection[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      await pool.end()
    })
    beforeEach(async () => {
      await direct.flushdb()
      await pool.query('truncate "oidc_artifact"')
    })

    /** An instance of its own. */
    function store(index: number): ArtifactStore {
      const options = { leewaySeconds: () => LEEWAY }
      const connection = connections[index]
      if (!connection) throw new Error('two connections are open')
      const redis = Object.create(connection, {
        isCluster: { value: isCluster },
      }) as RedisConnection
      return createRedisStore({
        redis,
        ...withUsesIn(createPostgresStore({ pool, ...options }), options),
      })
    }

    const adapterOf = (model: string, index: 0 | 1 = 0) =>
      stores[index].adapterFor(model) as ContextAdapter

    async function passes(seconds: number): Promise<void> {
      await pool.query(
        `update "oidc_artifact" set "consumed_at" = "consumed_at" - $1 * interval '1 second'`,
        [seconds],
      )
    }

    async function stored(model: (typeof SPENT)[number]) {
      const owner = newOwner()
      const { id, payload } = sample(model, owner)
      const grant = sample('Grant', owner)
      await adapterOf('Grant').upsert(grant.id, grant.payload, HOUR)
      await adapterOf(model).upsert(id, payload, HOUR)
      const child = sample('RefreshToken', owner)
      const exchange = (index: 0 | 1 = 0) =>
        adapterOf(model, index).exchange(id, [{ model: 'RefreshToken', ...child, expiresIn: HOUR }])
      return { owner, id, payload, child, exchange }
    }

    it.each(SPENT)(
      'TK-01 TK-04 F05 a %s that Redis has forgotten the use of is refused to 40 at once on two instances',
      async (model) => {
        for (const first of ['consume', 'exchange'] as const) {
          const { id, exchange } = await stored(model)
          await (first === 'consume' ? adapterOf(model).consume(id) : exchange())
          const attempts = Array.from({ length: 40 }, async (_, index) => {
            await forgetUses(direct)
            const side = index % 2 === 0 ? 0 : 1
            await (index % 4 < 2 ? adapterOf(model, side).consume(id) : exchange(side))
          })
          for (const outcome of await Promise.allSettled(attempts))
            expect(outcome).toMatchObject({ status: 'rejected', reason: refused })
        }
      },
    )

    it.each(SPENT)(
      'TK-01 gives a %s to one of 40 at once, though Redis forgets every use as it is made',
      async (model) => {
        const { id } = await stored(model)
        const attempts = Array.from({ length: 40 }, async (_, index) => {
          await forgetUses(direct)
          await adapterOf(model, index % 2 === 0 ? 0 : 1).consume(id)
        })
        const outcomes = await Promise.allSettled(attempts)
        expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(1)
      },
    )

    it('TK-01 one of 40 uses told at once by two instances is the first, also of those that are told together', async () => {
      const ledger = () => createPostgresStore({ pool, leewaySeconds: () => LEEWAY })
      const [one, two] = [ledger(), ledger()]
      const uses = Array.from({ length: 40 }, (_, index) => ({
        model: 'RefreshToken',
        id: `token ${index % 2}`,
        leftMs: HOUR * 1000,
        ...NOBODY,
      }))
      const earlier = await Promise.all(
        uses.map((use, index) => (index % 4 < 2 ? one : two).earlierUse(use)),
      )
      expect(earlier.filter((seconds) => seconds === undefined).length).toBe(2)
    })

    it.each(SPENT)(
      'TK-03 a second use of a %s within the leeway leaves the family alone; after it, it ends the family',
      async (model) => {
        const { id, child, exchange } = await stored(model)
        await exchange()
        await passes(LEEWAY - 2)
        await forgetUses(direct)
        await expect(adapterOf(model).consume(id)).rejects.toMatchObject(refused)
        expect(await adapterOf('RefreshToken').find(child.id)).toEqual(child.payload)
        await passes(3)
        await forgetUses(direct)
        await expect(adapterOf(model, 1).consume(id)).rejects.toMatchObject(refused)
        expect(await adapterOf('RefreshToken').find(child.id)).toBeUndefined()
      },
    )

    it('TK-03 a spent refresh token leaves Redis after ten minutes, and its reuse ends the family still', async () => {
      const { owner, id, child, exchange } = await stored('RefreshToken')
      await exchange()
      expect(await direct.pttl(keyOf('RefreshToken', id))).toBeLessThanOrEqual(600_000)
      expect(await direct.del(keyOf('RefreshToken', id))).toBe(1)
      expect(await adapterOf('RefreshToken').find(id)).toBeUndefined()
      await passes(LEEWAY + 1)
      const { accountId, clientId, grantId, sessionUid } = owner
      const reused = await adapterOf('RefreshToken', 1).find(id)
      expect(reused).toEqual({
        jti: id,
        kind: 'RefreshToken',
        accountId,
        clientId,
        grantId,
        sessionUid,
        consumed: expect.any(Number),
      })
      expect(await adapterOf('RefreshToken').find(child.id)).toEqual(child.payload)
      await expect(adapterOf('RefreshToken').consume(id)).rejects.toMatchObject(refused)

      await adapterOf('Grant').destroy(grantId)
      expect(await adapterOf('RefreshToken').find(id)).toBeUndefined()
    })

    it('remembers for as long as the token would have lived, by nothing but the names of app, grant and session, and forgets it then', async () => {
      const { id, payload } = sample('RefreshToken')
      await adapterOf('RefreshToken').upsert(id, payload, HOUR)
      await adapterOf('RefreshToken').consume(id)
      const forEver = sample('RefreshToken')
      await adapterOf('RefreshToken').upsert(forEver.id, forEver.payload)
      await adapterOf('RefreshToken').consume(forEver.id)
      const { rows } = await pool.query<Record<string, unknown>>(
        `select *, extract(epoch from "expires_at" - now())::float8 as "left" from "oidc_artifact" order by "expires_at"`,
      )
      const used = { clientId: 'app', grantId: expect.any(String), sessionUid: expect.any(String) }
      const nothing = {
        payload: { $used: used },
        account_id: null,
        client_id: null,
        grant_id: null,
        session_uid: null,
      }
      expect(rows).toEqual([
        expect.objectContaining(nothing),
        expect.objectContaining({ ...nothing, expires_at: null }),
      ])
      expect(Number(rows[0]?.['left'])).toBeGreaterThan(HOUR - 60)
      expect(Number(rows[0]?.['left'])).toBeLessThanOrEqual(HOUR)

      await pool.query(
        `update "oidc_artifact" set "expires_at" = now() where "expires_at" is not null`,
      )
      expect(await deleteExpired(pool, 'protocol artifacts')).toBe(1)
    })

    it('a use is the first though a move that was cut off has left the token in PostgreSQL too, and the rest of the move knows of it', async () => {
      const { id, payload } = await stored('RefreshToken')
      const inPostgres = createPostgresStore({ pool, leewaySeconds: () => 0 })
      await inPostgres.adapterFor('RefreshToken').upsert(id, payload, HOUR)
      await adapterOf('RefreshToken').consume(id)
      await forgetUses(direct)
      await moveToRedis({ pool, redis: connections[0] as RedisConnection })
      await passes(LEEWAY + 1)
      await expect(adapterOf('RefreshToken').consume(id)).rejects.toMatchObject(refused)
    })

    it('does not remember what is worth nothing to others: a pushed request', async () => {
      const { id, payload } = sample('PushedAuthorizationRequest')
      await adapterOf('PushedAuthorizationRequest').upsert(id, payload, HOUR)
      await adapterOf('PushedAuthorizationRequest').consume(id)
      expect((await pool.query('select from "oidc_artifact"')).rowCount).toBe(0)
    })

    it('TK-04 storage move takes what is remembered along, both ways', async () => {
      const { id, exchange, child, payload } = await stored('RefreshToken')
      await exchange()
      await passes(LEEWAY + 1)
      await forgetUses(direct)
      const move = { pool, redis: connections[0] as RedisConnection }
      await moveToPostgres(move)
      const inPostgres = createPostgresStore({ pool, leewaySeconds: () => LEEWAY })
      const { consumed, ...found } = (await inPostgres.adapterFor('RefreshToken').find(id)) ?? {}
      expect(found).toEqual(payload)
      expect(consumed).toBeGreaterThan(0)
      await expect(inPostgres.adapterFor('RefreshToken').consume(id)).rejects.toMatchObject(refused)
      await inPostgres.adapterFor('RefreshToken').revokeByGrantId(payload.grantId ?? '')
      expect(await inPostgres.adapterFor('RefreshToken').find(child.id)).toBeUndefined()

      const lost = await stored('RefreshToken')
      await lost.exchange()
      await passes(LEEWAY + 1)
      expect(await direct.del(keyOf('RefreshToken', lost.id))).toBe(1)
      await moveToPostgres(move)
      expect(await inPostgres.adapterFor('RefreshToken').find(lost.id)).toMatchObject({
        accountId: lost.owner.accountId,
        consumed: expect.any(Number),
      })
      await moveToRedis(move)

      const second = await stored('RefreshToken')
      await second.exchange()
      expect([...(await moveToRedis(move))]).toEqual([])
      await forgetUses(direct)
      await expect(adapterOf('RefreshToken').consume(second.id)).rejects.toMatchObject(refused)
    })
  },
)
