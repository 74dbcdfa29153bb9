import { LIMITS, type LimitName } from '../../config/limits.ts'
import { type RedisConnection, script } from '../../redis/redis.ts'
import { redisUnits } from './limit-units.ts'
import { type LimitStore, memoryLimits } from './rate-limit.ts'
import { SharedCounts } from './shared-counts.ts'

/** Asks for a decision: requests left with this one (0: refused), when the window ends, the limit. */
type Ask = (
  key: string,
  ...args: (string | number)[]
) => Promise<[remaining: number, resetSeconds: number, total: number]>

interface Definition {
  readonly lua: string
  readonly numberOfKeys: number
}

/**
 * Limits so wide that what is asked under them is cheaper than to ask Redis first: each instance
 * counts and tells the others. All others are narrow, guard something costly or secret, and are
 * exact.
 */
const SHARED: ReadonlySet<LimitName> = new Set(['token', 'authorize', 'interaction'])

/**
 * Counts that all instances share. While Redis is away, each instance counts by itself and allows a
 * quarter.
 */
export function redisLimits(redis: RedisConnection): LimitStore {
  return {
    options: (name) => {
      const counts = SHARED.has(name) ? new SharedCounts(redis, LIMITS[name]) : undefined
      return {
        driver: 'redis',
        db: new LimitClient(redis, counts) as unknown as ReturnType<LimitStore['options']>['db'],
      }
    },
    units: redisUnits(redis),
    whenDown: memoryLimits(),
  }
}

/** What koa-ratelimit needs of a client: its one script, sent through a connection that never hangs. */
class LimitClient {
  readonly #redis: RedisConnection
  readonly #counts: SharedCounts | undefined
  ratelimiter: Ask | undefined

  constructor(redis: RedisConnection, counts?: SharedCounts) {
    this.#redis = redis
    this.#counts = counts
  }

  defineCommand(name: 'ratelimiter', { lua }: Definition): void {
    const sliding = script(lua)
    const counts = this.#counts
    this[name] = counts
      ? async (key) => counts.take(key)
      : (key, ...args) => this.#redis.evaluate(sliding, [`gh:${key}`], args) as ReturnType<Ask>
  }
}
