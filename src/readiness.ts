import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { ClockSkew } from './database/clock-skew.ts'
import type { Pool } from './database/database.ts'
import type { Logger } from './logger/logger.ts'

/** Milliseconds: a balancer does not wait long either. */
const PATIENCE_MS = 2000
/** How long an answer that was good holds, so that frequent questions cost little. */
const HOLDS_MS = 200

/** Milliseconds between two looks of our own, so that clocks are watched where nobody asks. */
const WATCH_MS = 30_000

const WRITE = {
  name: 'readiness',
  text: `update server_state set checked_at = now() returning extract(epoch from checked_at)::float8 * 1000 as "ms"`,
}

/**
 * Whether the database does what serving needs: a write that is committed, by a clock near ours. On a connection of its
 * own, so that it tells of the database and not of a pool that is busy for a moment.
 */
export class Readiness implements AsyncDisposable {
  readonly #pool: pg.Pool
  readonly #clock: ClockSkew
  #asked: Promise<boolean> | undefined
  #goodUntil = 0
  #watching: NodeJS.Timeout | undefined

  constructor({ pool, logger }: { readonly pool: Pool; readonly logger: Logger }) {
    this.#clock = new ClockSkew({ logger })
    const { options } = pool
    this.#pool = new pg.Pool({
      ...options,
      // A spread loses it: the pool hides it from enumeration.
      ...(options.password === undefined ? {} : { password: options.password }),
      min: 0,
      max: 1,
      allowExitOnIdle: true,
      keepAlive: true,
      connectionTimeoutMillis: PATIENCE_MS,
      query_timeout: PATIENCE_MS,
    })
    this.#pool.on('error', () => undefined)
  }

  /** Looks now and then, whether or not somebody asks. */
  start(): void {
    this.#watching ??= setInterval(() => void this.isReady(), WATCH_MS).unref()
    void this.isReady()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#watching)
    await Promise.race([this.#pool.end(), sleep(1000, undefined, { ref: false })])
  }

  /** Those who ask at once have one answer. */
  isReady(): Promise<boolean> {
    if (performance.now() < this.#goodUntil) return Promise.resolve(true)
    this.#asked ??= this.#write().finally(() => (this.#asked = undefined))
    return this.#asked
  }

  async #write(): Promise<boolean> {
    let client: pg.PoolClient
    try {
      client = await this.#pool.connect()
    } catch {
      return false
    }
    const sentMs = Date.now()
    const written = await client.query<{ ms: number }>(WRITE).then(
      ({ rows }) => rows[0],
      () => undefined,
    )
    client.release(!written)
    if (!written) return false
    this.#clock.measure(written.ms, sentMs, Date.now())
    if (!this.#clock.isTolerable) return false
    this.#goodUntil = performance.now() + HOLDS_MS
    return true
  }
}
