import { BoundedMap } from '../../bounded-map.ts'
import type { Limit } from '../../config/limits.ts'
import { type RedisConnection, script } from '../../redis/redis.ts'

/** How long requests are gathered before they are told to the other instances. */
const REPORT_MS = 10
/** A report that takes longer counts as failed until it is answered. */
const LATE_MS = 50
/** How often it is tried whether one is heard again. */
const RETRY_MS = 100
/** What an instance allows by itself while it hears nothing. */
const ALONE = 0.25

/**
 * Adds requests to the window of a key; returns how many it has by now, and the milliseconds until
 * it ends.
 */
export const REPORT = script(`
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return { count, redis.call('PTTL', KEYS[1]) }`)

interface Window {
  count: number
  endsAt: number
}

/**
 * Counts of a wide limit, for which no request waits: each instance counts for itself, tells the
 * others a moment later and hears what they have counted. So a limit can be passed by what
 * instances take on within one report. It never fails open: an instance that hears nothing allows a
 * quarter.
 */
export class SharedCounts {
  readonly #redis: RedisConnection
  readonly #max: number
  readonly #windowMs: number
  readonly #windows = new BoundedMap<Window>(50_000)
  readonly #untold = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #sentAt: number | undefined
  #isHeard = true

  constructor(redis: RedisConnection, { max, windowSeconds }: Limit) {
    this.#redis = redis
    this.#max = max
    this.#windowMs = windowSeconds * 1000
  }

  /**
   * Counts a request: those that are left with it (0: refused), when the window ends (seconds), the
   * limit.
   */
  take(key: string): [remaining: number, resetSeconds: number, total: number] {
    const window = this.#windowOf(key)
    const isAlone =
      !this.#isHeard || (this.#sentAt !== undefined && performance.now() - this.#sentAt > LATE_MS)
    const left = Math.max(0, Math.floor(this.#max * (isAlone ? ALONE : 1)) - window.count)
    if (left > 0) window.count += 1
    if (left > 0) this.#tellLater(key, 1)
    return [left, Math.ceil(window.endsAt / 1000), this.#max]
  }

  #windowOf(key: string): Window {
    const known = this.#windows.get(key)
    if (known && known.endsAt > Date.now()) return known
    const window = { count: 0, endsAt: Date.now() + this.#windowMs }
    this.#windows.set(key, window)
    return window
  }

  #tellLater(key: string, requests: number): void {
    this.#untold.set(key, (this.#untold.get(key) ?? 0) + requests)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#sentAt !== undefined || this.#untold.size === 0) return
    this.#timer = setTimeout(
      () => void this.#report(),
      this.#isHeard ? REPORT_MS : RETRY_MS,
    ).unref()
  }

  async #report(): Promise<void> {
    const gathered = [...this.#untold]
    this.#untold.clear()
    this.#timer = undefined
    this.#sentAt = performance.now()
    const answers = await Promise.allSettled(
      gathered.map(([key, requests]) => this.#tell(key, requests)),
    )
    this.#isHeard = answers.every(({ status }) => status === 'fulfilled')
    this.#sentAt = undefined
    // Something to tell until it is heard again.
    const [probe] = gathered
    if (!this.#isHeard && probe) this.#tellLater(probe[0], 0)
    else this.#schedule()
  }

  async #tell(key: string, requests: number): Promise<void> {
    const [count, endsInMs] = (await this.#redis.evaluate(
      REPORT,
      [`gh:${key}`],
      [requests, this.#windowMs],
    )) as [number, number]
    this.#windows.set(key, {
      count: count + (this.#untold.get(key) ?? 0),
      endsAt: Date.now() + endsInMs,
    })
  }
}
