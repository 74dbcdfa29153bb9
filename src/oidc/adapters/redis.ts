import { randomToken } from '../../crypto/token.ts'
import { type RedisConnection, RedisUnavailable } from '../../redis.ts'
import type { Adapter, ArtifactStore, ArtifactStoreOptions } from './adapter.ts'
import { REVOCATION } from './lua/scripts.ts'
import { RedisAdapter } from './redis-adapter.ts'
import { type Calls, TRACE_MS } from './redis-calls.ts'
import { EPOCH_BITS } from './redis-entry.ts'
import { KEYS } from './redis-keys.ts'
import { manySlots } from './redis-many-slots.ts'
import { oneServer } from './redis-one-server.ts'
import { Rotations } from './rotations.ts'
import { grantsIn, type SessionGrant } from './session-grants.ts'
import type { StoredPayload } from './stored-payload.ts'
import { StoreUnavailable } from './unavailable.ts'

export interface RedisStoreOptions extends ArtifactStoreOptions {
  readonly redis: RedisConnection
}

/** What has been used is a negative fact: lost, it would let an assertion in again. So it stays in PostgreSQL (rule of absence). */
export function withReplaysIn(durable: ArtifactStore, options: ArtifactStoreOptions): ArtifactStoreOptions {
  return { ...options, overrides: { ...options.overrides, ReplayDetection: durable.adapterFor('ReplayDetection') } }
}

export function redisCalls(redis: RedisConnection): Calls {
  return redis.isCluster ? manySlots(redis) : oneServer(redis)
}

/** The artifacts in Redis. Times are those of Redis, which expires everything by itself. The connection stays its owner's. */
export function createRedisStore({ redis: connection, overrides = {}, leewaySeconds }: RedisStoreOptions): ArtifactStore {
  const redis = answering(connection)
  const calls = redisCalls(redis)
  const rotations = new Rotations()
  const fresh = () => randomToken(EPOCH_BITS)

  return {
    adapterFor: (model): Adapter => overrides[model] ?? new RedisAdapter(model, { calls, rotations, leewaySeconds, revokeGrant }),

    async revokeByAccount(accountId, { exceptSessionUid } = {}) {
      const kept = exceptSessionUid === undefined ? [] : await grantsOf(exceptSessionUid)
      await redis.evaluate(REVOCATION.account, [KEYS.account(accountId)], [fresh(), exceptSessionUid ?? '', ...kept])
    },

    async revokeBySession(sessionUid, { includeOffline = false } = {}) {
      const args = [includeOffline ? '1' : '', fresh(), TRACE_MS]
      const { authorizations, tied } = readSession(await redis.evaluate(REVOCATION.session, sessionKeys(sessionUid), args))
      const ended = authorizations.filter(({ isOffline }) => includeOffline || !isOffline).map(({ grantId }) => grantId)
      await Promise.all([...new Set([...ended, ...(includeOffline ? tied : [])])].map(endGrant))
    },

    async revokeByAccountAndClient(accountId, clientId) {
      await redis.evaluate(REVOCATION.client, [KEYS.account(accountId)], [clientId, fresh()])
    },

    purgeExpired: async () => 0,

    [Symbol.asyncDispose]: async () => undefined,
  }

  async function revokeGrant(grantId: string): Promise<void> {
    await redis.evaluate(REVOCATION.grant, [KEYS.grant(grantId)], [])
  }

  async function endGrant(grantId: string): Promise<void> {
    await Promise.all([revokeGrant(grantId), calls.destroy('Grant', grantId)])
  }

  /** Every grant that the session's tokens hang on: what is not found ends. */
  async function grantsOf(sessionUid: string): Promise<string[]> {
    const { authorizations, tied } = readSession(await redis.evaluate(REVOCATION.readSession, sessionKeys(sessionUid), []))
    return [...new Set([...authorizations.map(({ grantId }) => grantId), ...tied])]
  }
}

const sessionKeys = (uid: string): string[] => [KEYS.session(uid), KEYS.scope(uid)]

function readSession(reply: unknown): { authorizations: SessionGrant[]; tied: string[] } {
  const [payload, names] = reply as [string, string[]]
  return {
    authorizations: payload === '' ? [] : grantsIn(JSON.parse(payload) as StoredPayload),
    tied: names.filter((name) => name.startsWith('g:')).map((name) => name.slice(2)),
  }
}

/** The same connection, saying "unavailable" as PostgreSQL's store does. */
function answering(redis: RedisConnection): RedisConnection {
  const orUnavailable = (error: unknown): never => {
    throw error instanceof RedisUnavailable ? new StoreUnavailable(error) : error
  }
  return {
    isCluster: redis.isCluster,
    evaluate: (...call) => redis.evaluate(...call).catch(orUnavailable),
    run: (...call) => redis.run(...call).catch(orUnavailable),
    servers: () => redis.servers(),
    isReady: () => redis.isReady(),
    [Symbol.asyncDispose]: async () => undefined,
  }
}
