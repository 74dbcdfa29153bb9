import type { SecretBox } from '../crypto/secret-box.ts'
import type { Logger } from '../logger/logger.ts'
import { attempt, type Outcome } from './attempt.ts'
import { exponential, jittered } from './backoff.ts'
import type { Breaker } from './breaker.ts'
import {
  type Handler,
  type JsonValue,
  type OutboxTopic,
  PermanentFailure,
  reasonOf,
  TemporaryFailure,
} from './message.ts'
import type { DeliveryPolicy } from './policy.ts'
import type { Leased, OutboxStore } from './store.ts'
import { pause } from './timing.ts'

export interface CourierDeps {
  readonly topic: OutboxTopic
  readonly handler: Handler
  readonly store: OutboxStore
  readonly box: SecretBox
  readonly logger: Logger
  readonly policy: DeliveryPolicy
  readonly breaker: Breaker
  /** Aborts when a shutdown begins: nothing is started any more. */
  readonly closing: AbortSignal
  /** Aborts when a shutdown has waited long enough: attempts end at once. */
  readonly aborting: AbortSignal
}

/** A lease outlives the attempt by this much, so that the outcome can still be written down. */
export const LEASE_MARGIN_MS = 30_000

/** Attempts one leased message and writes down what came of it. */
export class Courier {
  readonly #deps: CourierDeps

  constructor(deps: CourierDeps) {
    this.#deps = deps
  }

  /** Never rejects. */
  async deliver(message: Leased): Promise<void> {
    const { topic, handler, box, policy, aborting, closing } = this.#deps
    const body = () =>
      JSON.parse(box.open(message.bodyBox, message.id).toString('utf8')) as JsonValue
    const { id, attempt: number, createdAt } = message
    // Attempts without an outcome: the process died each time, perhaps of this message.
    if (number > policy.maxAttempts)
      return this.#write(
        message,
        this.#giveUp(message, new PermanentFailure('no attempt ever ended')),
      )
    const outcome: Outcome = closing.aborted
      ? { status: 'aborted' }
      : await attempt(
          handler,
          body,
          { id, topic, attempt: number, createdAt },
          { timeoutMs: policy.timeoutMs, shutdown: aborting },
        )
    await this.#write(message, this.#consequence(message, outcome))
  }

  #consequence(message: Leased, outcome: Outcome): () => Promise<void> {
    const { store, policy, logger } = this.#deps
    const ageMs = Date.now() - message.createdAt.getTime()
    const isOld = ageMs >= policy.maxAgeMs
    if (outcome.status === 'aborted')
      return () => store.postpone(message, 0, { countsAttempt: false })
    if (outcome.status === 'unreachable') {
      const delayMs = this.#unreachable(reasonOf(outcome.error))
      return isOld
        ? this.#giveUp(message, outcome.error)
        : () =>
            store.postpone(message, delayMs, {
              countsAttempt: false,
              reason: reasonOf(outcome.error),
            })
    }
    this.#reached()
    if (outcome.status === 'delivered') return () => store.delivered(message)
    const isFinal = outcome.status === 'refused' || isOld || ageMs >= finalAtMs(outcome.error)
    if (isFinal || message.attempt >= policy.maxAttempts)
      return this.#giveUp(message, outcome.error)
    const delayMs = jittered(exponential(message.attempt, policy.firstDelayMs, policy.maxDelayMs))
    const reason = reasonOf(outcome.error)
    logger.warn({ ...this.#about(message, 'outbox.retry'), delayMs, reason })
    return () => store.postpone(message, delayMs, { countsAttempt: true, reason })
  }

  #giveUp(message: Leased, error: unknown): () => Promise<void> {
    const reason = reasonOf(error)
    this.#deps.logger.error({ ...this.#about(message, 'outbox.failed'), reason })
    return () => this.#deps.store.giveUp(message, reason)
  }

  #unreachable(reason: string): number {
    const { breaker, logger, topic } = this.#deps
    if (breaker.isClosed) logger.warn({ event: 'outbox.unreachable', topic, reason })
    return breaker.unreachable()
  }

  #reached(): void {
    const { breaker, logger, topic } = this.#deps
    if (!breaker.isClosed) logger.info({ event: 'outbox.reachable', topic })
    breaker.reached()
  }

  /**
   * Writes the outcome down, again while the database is away and the lease is ours: an unwritten
   * delivery is a duplicate later.
   */
  async #write(message: Leased, write: () => Promise<void>): Promise<void> {
    const { logger, closing } = this.#deps
    const deadline = performance.now() + LEASE_MARGIN_MS / 2
    for (let delayMs = 100; ; delayMs = Math.min(delayMs * 2, 2000)) {
      try {
        return await write()
      } catch (error) {
        if (closing.aborted || performance.now() + delayMs > deadline)
          return logger.warn({
            ...this.#about(message, 'outbox.unsettled'),
            reason: reasonOf(error),
          })
        await pause(delayMs, closing)
      }
    }
  }

  #about({ id, attempt: number }: Leased, event: string): Record<string, unknown> {
    return { event, topic: this.#deps.topic, id, attempt: number }
  }
}

function finalAtMs(error: unknown): number {
  return (
    (error instanceof TemporaryFailure ? error.finalAtMs : undefined) ?? Number.POSITIVE_INFINITY
  )
}
