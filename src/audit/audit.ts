import type { KeyObject } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { hmac } from '../crypto/token.ts'
import type { EntityManager, Pool } from '../database/database.ts'
import type { Logger } from '../logger/logger.ts'
import { extendChain, extendChainBy } from './chain.ts'
import { currentOrigin } from './current-origin.ts'
import type { AuditRecord, AuditSink } from './event.ts'
import { type AuditRow, rowOf } from './row.ts'

export interface AuditDeps {
  readonly pool: Pool
  /** Digests the addresses that no account has. */
  readonly subjectKey: KeyObject
  readonly logger: Logger
}

/** How long a recorded event may wait for others. */
const BATCH_MS = 40
const MAX_BATCH = 500
/** Events that wait while the database is away; beyond it the newest are lost, and that is told. */
const MAX_WAITING = 20_000
const RETRY_MS = 1000
/** Attempts that a shutdown makes to write what waits. */
const LAST_ATTEMPTS = 3
/**
 * Milliseconds that they have, all together: a database that does not answer must not hold up a
 * stop.
 */
const LAST_MS = 5000
/**
 * SQLSTATEs that speak of the row: its data, a constraint, its size, what a trigger says. With all
 * others events wait.
 */
const REFUSED_CODE = /^(?:22|23|54|P0)/

/** The one writer of this process to the audit trail: append-only and hash-chained (LG-01, LG-04). */
export class Audit implements AuditSink, AsyncDisposable {
  readonly #pool: Pool
  readonly #key: KeyObject
  readonly #logger: Logger
  #waiting: AuditRow[] = []
  #lost = 0
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #isFailing = false

  constructor({ pool, subjectKey, logger }: AuditDeps) {
    this.#pool = pool
    this.#key = subjectKey
    this.#logger = logger
  }

  record(event: AuditRecord): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#lost += 1
      return
    }
    this.#waiting.push(this.#row(event))
    this.#schedule(BATCH_MS)
  }

  async append(tx: EntityManager, event: AuditRecord): Promise<void> {
    // Row locks first, the chain's lock last: no two transactions wait for each other.
    await tx.flush()
    await extendChain(tx, this.#row(event))
  }

  /** Resolves when everything recorded so far is written; rejects when it cannot be. */
  async flush(): Promise<void> {
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#writeAll())
    return this.#writing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const isWritten = await Promise.race([this.#flushLast(), sleep(LAST_MS, false, { ref: false })])
    if (!isWritten)
      this.#logger.error(
        { event: 'audit.lost', count: this.#waiting.length },
        'audit events are lost',
      )
    clearTimeout(this.#timer)
  }

  async #flushLast(): Promise<boolean> {
    const until = performance.now() + LAST_MS
    for (let attempt = 0; attempt < LAST_ATTEMPTS && performance.now() < until; attempt += 1) {
      const isWritten = await this.flush().then(
        () => true,
        () => false,
      )
      if (isWritten) return true
    }
    return false
  }

  #row(event: AuditRecord): AuditRow {
    const subject =
      event.address === undefined
        ? undefined
        : hmac(this.#key, event.address).toString('base64url').slice(0, 22)
    return rowOf({ ...event, origin: event.origin ?? currentOrigin() }, new Date(), subject)
  }

  #schedule(delayMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.flush().then(
        () => this.#recovered(),
        (error: unknown) => this.#failed(error),
      )
    }, delayMs).unref()
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, MAX_BATCH)
      await this.#write(batch).catch((error: unknown) => this.#writeOneByOne(batch, error))
    }
  }

  async #write(rows: readonly AuditRow[]): Promise<void> {
    await extendChainBy(this.#pool, rows)
    this.#waiting = this.#waiting.slice(rows.length)
  }

  /** A row that PostgreSQL refuses holds up no other: it alone is lost, and that is told. */
  async #writeOneByOne(batch: readonly AuditRow[], error: unknown): Promise<void> {
    if (!isRefused(error)) throw error
    for (const row of batch)
      await this.#write([row]).catch((refusal: unknown) => this.#drop(row, refusal))
  }

  #drop({ type }: AuditRow, error: unknown): void {
    if (!isRefused(error)) throw error
    this.#logger.error(
      { event: 'audit.refused', type, err: error },
      'the database refuses an audit event; it is lost',
    )
    this.#waiting = this.#waiting.slice(1)
  }

  #recovered(): void {
    if (this.#isFailing)
      this.#logger.warn(
        { event: 'audit.writable', lost: this.#lost },
        'the audit trail can be written again',
      )
    this.#isFailing = false
    this.#lost = 0
  }

  #failed(error: unknown): void {
    if (!this.#isFailing)
      this.#logger.error(
        { event: 'audit.unwritable', err: error },
        'the audit trail cannot be written; events wait',
      )
    this.#isFailing = true
    this.#schedule(RETRY_MS)
  }
}

function isRefused(error: unknown): boolean {
  return REFUSED_CODE.test(String((error as { code?: unknown } | undefined)?.code))
}
