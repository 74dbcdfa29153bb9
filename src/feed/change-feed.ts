import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg, { type ClientConfig } from 'pg'
import type { Logger } from '../logger/logger.ts'

const HEARTBEAT_MS = 2000
const PATIENCE_MS = 2000
const RETRY_MAX_MS = 5000

export interface ChangeFeedDeps {
  /** Of PostgreSQL itself: a pooler passes no notifications on. */
  readonly connection: ClientConfig
  readonly channel: string
  readonly logger: Logger
  readonly onChange: (payload: string) => void
  /** The connection was lost or is back: whatever was announced in between was missed. */
  readonly onGap: () => void
}

/**
 * LISTEN on a PostgreSQL channel. Silence is not trusted: a heartbeat tells a dead connection from
 * a quiet one within 4 s.
 */
export class ChangeFeed implements AsyncDisposable {
  readonly #deps: ChangeFeedDeps
  readonly #end = new AbortController()
  #client: pg.Client | undefined
  #heartbeat: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  /** Resolves when the first attempt to connect has ended, well or not. */
  static async open(deps: ChangeFeedDeps): Promise<ChangeFeed> {
    const feed = new ChangeFeed(deps)
    const isLive = await feed.#connect()
    if (!isLive) feed.#reconnect()
    return feed
  }

  private constructor(deps: ChangeFeedDeps) {
    this.#deps = deps
  }

  /** False while changes may go unheard. */
  get isLive(): boolean {
    return this.#client !== undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort()
    await this.#running
    const client = this.#client
    this.#client = undefined
    clearInterval(this.#heartbeat)
    await Promise.race([
      client?.end().catch(() => undefined),
      sleep(1000, undefined, { ref: false }),
    ])
  }

  async #connect(): Promise<boolean> {
    const client = new pg.Client({
      ...this.#deps.connection,
      connectionTimeoutMillis: PATIENCE_MS,
      query_timeout: PATIENCE_MS,
    })
    client.on('error', (error) => this.#lost(client, error))
    client.on('end', () => this.#lost(client))
    client.on('notification', ({ payload }) => this.#deps.onChange(payload ?? ''))
    try {
      await client.connect()
      await client.query(`listen ${client.escapeIdentifier(this.#deps.channel)}`)
    } catch (err) {
      this.#deps.logger.warn({ event: 'change_feed.lost', err }, 'the change feed cannot connect')
      client.end().catch(() => undefined)
      return false
    }
    this.#client = client
    this.#heartbeat = setInterval(() => {
      client.query('select 1').catch((error: unknown) => this.#lost(client, error))
    }, HEARTBEAT_MS)
    this.#heartbeat.unref()
    this.#deps.onGap()
    return true
  }

  #lost(client: pg.Client, err?: unknown): void {
    if (this.#client !== client) return
    this.#client = undefined
    clearInterval(this.#heartbeat)
    client.end().catch(() => undefined)
    this.#deps.onGap()
    if (this.#end.signal.aborted) return
    this.#deps.logger.warn({ event: 'change_feed.lost', err }, 'the change feed is lost')
    this.#reconnect()
  }

  #reconnect(): void {
    this.#running = (async () => {
      for (let wait = 100; !this.#end.signal.aborted; wait = Math.min(wait * 2, RETRY_MAX_MS)) {
        await sleep(randomInt(wait / 2, wait * 2), undefined, {
          signal: this.#end.signal,
          ref: false,
        }).catch(() => undefined)
        if (this.#end.signal.aborted || (await this.#connect())) return
      }
    })()
  }
}
