import { type RedisConnection, RedisUnavailable } from '../../redis/redis.ts'
import type { Adapter, ArtifactStore, ArtifactStoreOptions, UseLedger } from './adapter.ts'
import { REVOCATION } from './lua/scripts.ts'
import { RedisAdapter } from './redis-adapter.ts'
import { type Calls, TRACE_MS } from './redis-calls.ts'
import { freshEpoch } from './redis-entry.ts'
import { KEYS } from './redis-keys.ts'
import { manySlots } from './redis-many-slots.ts'
import { oneServer } from './redis-one-server.ts'
import { Rotations } from './rotations.ts'
import { grantsIn, type SessionGrant } from './session-grants.ts'
import type { StoredPayload } from './stored-payload.ts'
import { StoreUnavailable } from './unavailable.ts'

export interface RedisStoreOptions extends ArtifactStoreOptions {
  readonly redis: RedisConnection
  /** Where uses of codes are remembered, too: a failover makes Redis forget its last moments. */
  readonly uses?: UseLedger
}

/**
 * What has been used is a negative fact: lost, it would let an assertion or a code in again. So it
 * stays in PostgreSQL (rule of absence).
 */
export function withUsesIn(
  durable: ArtifactStore & UseLedger,
  options: ArtifactStoreOptions,
): Omit<RedisStoreOptions, 'redis'> {
  return {
    ...options,
    uses: durable,
    overrides: { ...options.overrides, ReplayDetection: durable.adapterFor('ReplayDetection') },
  }
}

export function redisCalls(redis: RedisConnection): Calls {
  return redis.isCluster ? manySlots(redis) : oneServer(redis)
}

/**
 * The artifacts in Redis. Times are those of Redis, which expires everything by itself. The
 * connection stays its owner's.
 */
export function createRedisStore({
  redis: connection,
  uses,
  overrides = {},
  leewaySeconds,
}: RedisStoreOptions): ArtifactStore {
  const redis = answering(connection)
  const calls = redisCalls(redis)
  const rotations = new Rotations()

  return {
    adapterFor: (model): Adapter =>
      overrides[model] ??
      new RedisAdapter(model, { calls, uses, rotations, leewaySeconds, revokeGrant }),

    async revokeByAccount(accountId, { exceptSessionUid } = {}) {
      const kept = exceptSessionUid === undefined ? [] : await grantsOf(exceptSessionUid)
      await redis.evaluate(
        REVOCATION.account,
        [KEYS.account(accountId)],
        [freshEpoch(), exceptSessionUid ?? '', ...kept],
      )
    },

    async revokeBySession(sessionUid) {
      const payload = await redis.evaluate(REVOCATION.session, sessionKeys(sessionUid), [
        freshEpoch(),
        TRACE_MS,
      ])
      const ended = authorizationsIn(payload as string).filter(({ isOffline }) => !isOffline)
      await Promise.all(ended.map(({ grantId }) => endGrant(grantId)))
    },

    async revokeByAccountAndClient(accountId, clientId) {
      await redis.evaluate(REVOCATION.client, [KEYS.account(accountId)], [clientId, freshEpoch()])
    },

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
    const [payload, tied] = (await redis.evaluate(
      REVOCATION.readSession,
      sessionKeys(sessionUid),
      [],
    )) as [string, string[]]
    const named = tied.filter((name) => name.startsWith('g:')).map((name) => name.slice(2))
    return [...new Set([...authorizationsIn(payload).map(({ grantId }) => grantId), ...named])]
  }
}

const sessionKeys = (uid: string): string[] => [KEYS.session(uid), KEYS.scope(uid)]

function authorizationsIn(payload: string): SessionGrant[] {
  return payload === '' ? [] : grantsIn(JSON.parse(payload) as StoredPayload)
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
