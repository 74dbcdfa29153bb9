import { type RedisConnection, script } from '../../redis.ts'
import { type LimitStore, memoryLimits } from './rate-limit.ts'

interface Definition {
  readonly lua: string
  readonly numberOfKeys: number
}

/** Counts that all instances share. While Redis is away, each instance counts by itself and allows a quarter. */
export function redisLimits(redis: RedisConnection): LimitStore {
  return { options: { driver: 'redis', db: new BoundedClient(redis) as unknown as LimitStore['options']['db'] }, whenDown: memoryLimits() }
}

/** What koa-ratelimit needs of a client: its one script, sent through a connection that never hangs. */
class BoundedClient {
  readonly #redis: RedisConnection
  ratelimiter: ((key: string, ...args: (string | number)[]) => Promise<unknown>) | undefined

  constructor(redis: RedisConnection) {
    this.#redis = redis
  }

  defineCommand(name: 'ratelimiter', { lua }: Definition): void {
    const sliding = script(lua)
    this[name] = (key, ...args) => this.#redis.evaluate(sliding, [`gh:${key}`], args)
  }
}
