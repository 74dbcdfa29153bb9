import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Pool } from './database/database.ts'

/** Milliseconds: a balancer does not wait long either. */
const PATIENCE_MS = 2000
/** How long an answer that was good holds, so that whoever asks all the time costs little. */
const HOLDS_MS = 200

const WRITE = { name: 'readiness', text: 'update server_state set checked_at = now()' }

/**
 * Whether the database does what serving needs: a write that is committed. On a connection of its
 * own, so that it tells of the database and not of a pool that is busy for a moment.
 */
export class Readiness implements AsyncDisposable {
  readonly #pool: pg.Pool
  #asked: Promise<boolean> | undefined
  #goodUntil = 0

  constructor({ pool }: { readonly pool: Pool }) {
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

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.race([this.#pool.end(), sleep(1000, undefined, { ref: false })])
  }

  /** Those who ask at once have one answer. */
  isWritable(): Promise<boolean> {
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
    const isWritten = await client.query(WRITE).then(
      ({ rowCount }) => rowCount === 1,
      () => false,
    )
    client.release(!isWritten)
    if (isWritten) this.#goodUntil = performance.now() + HOLDS_MS
    return isWritten
  }
}
