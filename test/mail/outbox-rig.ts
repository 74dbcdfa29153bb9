import { afterEach } from '@jest/globals'
import { SecretBox } from '../../src/crypto/secret-box.ts'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { createLogger } from '../../src/logger/logger.ts'
import {
  type DeliveryPolicy,
  type Handler,
  type Handlers,
  type JsonValue,
  Outbox,
  OutboxWorker,
} from '../../src/outbox/index.ts'
import { asAdmin } from '../support/postgres.ts'

/** Test secrets; `server.ts` would bring the whole product with it. */
export const KEYS = ['Nw6pCj2bVs9kEz4hMt7qLx0gUf3aDy8rOi5cBlPe']
export const box = new SecretBox(KEYS)
export const outbox = new Outbox({ box })

export interface StoredMessage {
  readonly id: string
  readonly attempts: number
  /** Seconds from now until it is tried again. */
  readonly due_in: number
  readonly delivered: boolean
  readonly failed: boolean
  readonly last_error: string | null
}

/** Workers, databases and log of one test; everything is closed after it. */
export class Rig {
  readonly log: Record<string, unknown>[] = []
  readonly #url: () => string
  readonly #open: AsyncDisposable[] = []

  constructor(url: () => string) {
    this.#url = url
    afterEach(async () => {
      this.log.length = 0
      for (const resource of this.#open.splice(0).toReversed())
        await resource[Symbol.asyncDispose]()
    })
  }

  async database(): Promise<Database> {
    const database = await openDatabase({ url: this.#url(), pool: 5 })
    this.#open.push(database)
    return database
  }

  worker(
    database: Database,
    handlers: Handlers,
    policy: Partial<DeliveryPolicy> = {},
    options: { keepDelivered?: boolean; keys?: readonly string[] } = {},
  ): OutboxWorker {
    const logger = createLogger('debug', {
      write: (line: string) => void this.log.push(JSON.parse(line) as Record<string, unknown>),
    })
    const worker = new OutboxWorker({
      database,
      box: options.keys ? new SecretBox(options.keys) : box,
      logger,
      handlers,
      keepDelivered: options.keepDelivered ?? false,
      policy: { pollMs: 50, ...policy },
    })
    this.#open.push(worker)
    return worker
  }

  /** Takes the database away from everybody and gives it back. */
  async adminOf(): Promise<{ refuse(): Promise<void>; accept(): Promise<void> }> {
    const url = new URL(this.#url())
    const name = url.pathname.slice(1)
    url.pathname = '/postgres'
    const run = (...statements: string[]) =>
      asAdmin(url.href, async (client) => {
        for (const statement of statements) await client.query(statement)
      })
    return {
      refuse: () =>
        run(
          `alter database ${name} with allow_connections false`,
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
        ),
      accept: () => run(`alter database ${name} with allow_connections true`),
    }
  }

  events(name: string): Record<string, unknown>[] {
    return this.log.filter(({ event }) => event === name)
  }
}

export async function enqueue(database: Database, ...bodies: JsonValue[]): Promise<void> {
  await database.em.fork().transactional(async (em) => {
    for (const body of bodies) outbox.enqueue(em, 'mail', body)
  })
}

/** A handler that waits and then notes the body. */
export function record(
  seen: JsonValue[],
  wait: () => Promise<unknown> = async () => undefined,
): Handler {
  return async (body) => {
    await wait()
    seen.push(body)
  }
}

export async function stored({ pool }: Database): Promise<StoredMessage[]> {
  const { rows } = await pool.query<StoredMessage>(
    `select "id", "attempts", extract(epoch from "available_at" - now())::float8 as "due_in", "delivered_at" is not null as "delivered",
      "failed_at" is not null as "failed", "last_error" from "outbox_message" order by "created_at", "id"`,
  )
  return rows
}

/** As if the time until the next attempt, or the lease of a dead worker, had passed. */
export async function letTimePass({ pool }: Database): Promise<void> {
  await pool.query(`update "outbox_message" set "available_at" = now()`)
}

export async function empty({ pool }: Database): Promise<void> {
  await pool.query('delete from "outbox_message"')
}

export async function until(
  condition: () => boolean | Promise<boolean>,
  withinMs = 8000,
): Promise<void> {
  for (
    const end = Date.now() + withinMs;
    !(await condition());
    await new Promise((resolve) => setTimeout(resolve, 10))
  )
    if (Date.now() > end) throw new Error(`not so within ${withinMs} ms`)
}
