import type { Logger } from '../logger/logger.ts'

/** Milliseconds by which the clocks may differ before it is told, and before nothing is served. */
const TOLD_MS = 5000
const TOLERATED_MS = 60_000

type Standing = 'agrees' | 'differs' | 'unusable'

/**
 * How far this server's clock is from the database's. What must agree is written by the database's,
 * but tokens, cookies and the codes of an app are judged by ours.
 */
export class ClockSkew {
  readonly #logger: Logger
  #standing: Standing = 'agrees'

  constructor({ logger }: { readonly logger: Logger }) {
    this.#logger = logger
  }

  get isTolerable(): boolean {
    return this.#standing !== 'unusable'
  }

  /** By what the database took for now, at some time between sending and receiving. */
  measure(databaseMs: number, sentMs: number, receivedMs: number): void {
    const behindMs =
      databaseMs > receivedMs ? databaseMs - receivedMs : Math.min(0, databaseMs - sentMs)
    const apart = Math.abs(behindMs)
    const standing = apart > TOLERATED_MS ? 'unusable' : apart > TOLD_MS ? 'differs' : 'agrees'
    if (standing === this.#standing) return
    this.#standing = standing
    this.#tell(standing, Math.round(behindMs / 1000))
  }

  #tell(standing: Standing, secondsBehindDatabase: number): void {
    const facts = { event: `clock.${standing}`, secondsBehindDatabase }
    if (standing === 'agrees') this.#logger.info(facts, 'the clock agrees with PostgreSQL again')
    else if (standing === 'differs')
      this.#logger.warn(facts, 'the clock differs from PostgreSQL: set both by NTP')
    else
      this.#logger.error(
        facts,
        'the clock differs too much from PostgreSQL to serve: not ready until both are set by NTP',
      )
  }
}
