import { BoundedMap } from '../../bounded-map.ts'
import type { Limit } from '../../config/limits.ts'
import { randomToken } from '../../crypto/token.ts'
import { type RedisConnection, script } from '../../redis.ts'

/** Asks Redis for a decision: requests left with this one (0: refused), when the window ends, the limit. */
export type Ask = (key: string, ...args: (string | number)[]) => Promise<[remaining: number, resetSeconds: number, total: number]>

/** How long requests are gathered before they are reported. */
const REPORT_MS = 10
/** A report that takes longer makes every request ask, as does one that failed. */
const LATE_MS = 50
/** The last part of a limit is exact: every request asks. */
const EXACT_SHARE = 0.1
const KEYS_PER_REPORT = 200

/**
 * Adds requests to sliding windows: sorted sets by the time in milliseconds, as the limiter's own script keeps them.
 * Arguments: now, window in milliseconds, a name that no other report has, the requests of each key. Returns the count of each key.
 */
export const REPORT = script(`
local now, window, name = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local counts = {}
for k, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, 0, now - window)
  for i = 1, tonumber(ARGV[3 + k]) do redis.call('ZADD', key, now, name .. i) end
  redis.call('PEXPIRE', key, window)
  counts[k] = redis.call('ZCARD', key)
end
return counts`)

/**
 * Counts of one limit that instances share without a round trip for each request. An instance answers by what it last heard of a key, and
 * reports a moment later; Redis answers with the true count. So a limit can be passed by what instances take on within one report, and
 * it never fails open: after a report that fails or is late, every request asks.
 */
export class ReportedCounts {
  readonly #redis: RedisConnection
  readonly #max: number
  readonly #windowMs: number
  readonly #name = randomToken()
  /** What Redis said of a key, less what was taken since. A key that it said nothing of is new. */
  readonly #known = new BoundedMap<{ left: number; until: number }>(50_000)
  #gathered = new Map<string, number>()
  #isScheduled = false
  #reports = 0
  /** When the report under way was sent; `undefined` while there is none. */
  #sentAt: number | undefined
  #isHeard = false

  constructor(redis: RedisConnection, { max, windowSeconds }: Limit) {
    this.#redis = redis
    this.#max = max
    this.#windowMs = windowSeconds * 1000
  }

  answering(ask: Ask): Ask {
    return async (key, ...args) => {
      const left = this.#take(key)
      if (left !== undefined) return [left, Math.floor((Date.now() + this.#windowMs) / 1000), this.#max]
      try {
        const answer = await ask(key, ...args)
        this.#isHeard = true
        this.#learn(key, answer[0] - 1)
        return answer
      } catch (error) {
        this.#isHeard = false
        throw error
      }
    }
  }

  /** The requests left with this one, or `undefined` when Redis must be asked. */
  #take(key: string): number | undefined {
    if (!this.#isHeard || (this.#sentAt !== undefined && performance.now() - this.#sentAt > LATE_MS)) return undefined
    const heard = this.#known.get(key)
    const known = heard && heard.until > Date.now() ? heard : { left: this.#max, until: Date.now() + this.#windowMs }
    const { left, until } = known
    if (left <= this.#max * EXACT_SHARE) return undefined
    this.#known.set(key, { left: left - 1, until })
    this.#gathered.set(key, (this.#gathered.get(key) ?? 0) + 1)
    this.#schedule()
    return left
  }

  #learn(key: string, left: number): void {
    this.#known.set(key, { left: left - (this.#gathered.get(key) ?? 0), until: Date.now() + this.#windowMs })
  }

  #schedule(): void {
    if (this.#isScheduled || this.#sentAt !== undefined) return
    this.#isScheduled = true
    setTimeout(() => void this.#report(), REPORT_MS).unref()
  }

  async #report(): Promise<void> {
    const gathered = [...this.#gathered]
    this.#gathered = new Map()
    this.#isScheduled = false
    this.#sentAt = performance.now()
    try {
      await Promise.all(inGroups(gathered, this.#redis.isCluster ? 1 : KEYS_PER_REPORT).map((group) => this.#send(group)))
    } catch {
      this.#isHeard = false
    }
    this.#sentAt = undefined
    if (this.#gathered.size > 0) this.#schedule()
  }

  async #send(group: readonly (readonly [string, number])[]): Promise<void> {
    this.#reports += 1
    const keys = group.map(([key]) => `gh:${key}`)
    const args = [Date.now(), this.#windowMs, `${this.#name}:${this.#reports}:`, ...group.map(([, requests]) => requests)]
    const counts = (await this.#redis.evaluate(REPORT, keys, args)) as number[]
    for (const [index, [key]] of group.entries()) this.#learn(key, this.#max - (counts[index] ?? this.#max))
  }
}

function inGroups<T>(items: readonly T[], size: number): T[][] {
  const groups: T[][] = []
  for (let at = 0; at < items.length; at += size) groups.push(items.slice(at, at + size))
  return groups
}
