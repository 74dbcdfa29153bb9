import { LIMITS, type LimitName } from '../../config/limits.ts'
import { type RedisConnection, script } from '../../redis.ts'
import { type LimitStore, memoryLimits } from './rate-limit.ts'
import { type Ask, ReportedCounts } from './reported-counts.ts'

interface Definition {
  readonly lua: string
  readonly numberOfKeys: number
}

/**
 * Limits so wide that what is asked under them is cheaper than to ask Redis first: instances decide by what they know and report.
 * All others are narrow, guard something costly or secret, and are exact.
 */
const REPORTED: ReadonlySet<LimitName> = new Set(['token', 'authorize', 'interaction'])

/** Counts that all instances share. While Redis is away, each instance counts by itself and allows a quarter. */
export function redisLimits(redis: RedisConnection): LimitStore {
  return {
    options: (name) => {
      const reports = REPORTED.has(name) ? new ReportedCounts(redis, LIMITS[name]) : undefined
      return { driver: 'redis', db: new LimitClient(redis, reports) as unknown as ReturnType<LimitStore['options']>['db'] }
    },
    whenDown: memoryLimits(),
  }
}

/** What koa-ratelimit needs of a client: its one script, sent through a connection that never hangs. */
class LimitClient {
  readonly #redis: RedisConnection
  readonly #reports: ReportedCounts | undefined
  ratelimiter: Ask | undefined

  constructor(redis: RedisConnection, reports?: ReportedCounts) {
    this.#redis = redis
    this.#reports = reports
  }

  defineCommand(name: 'ratelimiter', { lua }: Definition): void {
    const sliding = script(lua)
    const ask: Ask = (key, ...args) => this.#redis.evaluate(sliding, [`gh:${key}`], args) as ReturnType<Ask>
    this[name] = this.#reports ? this.#reports.answering(ask) : ask
  }
}
