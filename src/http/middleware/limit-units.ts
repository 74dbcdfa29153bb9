import { BoundedMap } from '../../bounded-map.ts'
import type { Limit } from '../../config/limits.ts'
import { randomToken } from '../../crypto/token.ts'
import { type RedisConnection, script } from '../../redis/redis.ts'

/** A unit of a limit that was taken, or the seconds until there is one again. */
export type Taken = { readonly unit: string } | { readonly retryAfterSeconds: number }

/** Limits whose units can be given back, one by one. */
export interface LimitUnits {
  take(key: string, limit: Limit): Promise<Taken>
  /** This unit and no other; one that is lost stays counted. */
  giveBack(key: string, unit: string): Promise<void>
}

/** Of one process; the oldest key makes room. */
export function memoryUnits(maxKeys = 50_000): LimitUnits {
  const taken = new BoundedMap<Map<string, number>>(maxKeys)
  return {
    async take(key, { max, windowSeconds }) {
      const now = Date.now()
      const units = taken.get(key) ?? new Map<string, number>()
      for (const [unit, endsAt] of units) if (endsAt <= now) units.delete(unit)
      const [first] = units.values()
      if (first !== undefined && units.size >= max)
        return { retryAfterSeconds: Math.ceil((first - now) / 1000) }
      const unit = randomToken()
      units.set(unit, now + windowSeconds * 1000)
      taken.set(key, units)
      return { unit }
    },
    giveBack: async (key, unit) => void taken.get(key)?.delete(unit),
  }
}

/**
 * A sorted set of units by the time at which they were taken. Returns the milliseconds until one is
 * free; 0: this one was taken.
 */
const TAKE = script(`
local now, window, max = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - window)
if redis.call('ZCARD', KEYS[1]) >= max then
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return math.max(1, tonumber(first[2]) + window - now)
end
redis.call('ZADD', KEYS[1], now, ARGV[4])
redis.call('PEXPIRE', KEYS[1], window)
return 0`)
export const GIVE_BACK = script(`return redis.call('ZREM', KEYS[1], ARGV[1])`)

/** Of all instances. */
export function redisUnits(redis: RedisConnection): LimitUnits {
  return {
    async take(key, { max, windowSeconds }) {
      const unit = randomToken()
      const waitMs = Number(
        await redis.evaluate(TAKE, [`gh:${key}`], [Date.now(), windowSeconds * 1000, max, unit]),
      )
      return waitMs === 0 ? { unit } : { retryAfterSeconds: Math.ceil(waitMs / 1000) }
    },
    giveBack: async (key, unit) => void (await redis.evaluate(GIVE_BACK, [`gh:${key}`], [unit])),
  }
}
