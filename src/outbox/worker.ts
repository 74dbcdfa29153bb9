import type { SecretBox } from '../crypto/secret-box.ts'
import type { Database } from '../database/database.ts'
import { OutboxMessage } from '../entities/index.ts'
import type { Logger } from '../logger/logger.ts'
import { Lane } from './lane.ts'
import type { Handlers, OutboxTopic } from './message.ts'
import { DEFAULT_POLICY, type DeliveryPolicy } from './policy.ts'
import { OutboxStore } from './store.ts'

export interface OutboxWorkerDeps {
  readonly database: Database
  readonly box: SecretBox
  readonly logger: Logger
  /** Topics without a handler stay in the table. */
  readonly handlers: Handlers
  /** Delivered messages are marked instead of deleted: for the dev inbox only, as they hold codes. */
  readonly keepDelivered: boolean
  readonly policy?: Partial<DeliveryPolicy>
  /** What one topic does otherwise. */
  readonly policies?: Partial<Record<OutboxTopic, Partial<DeliveryPolicy>>>
}

/**
 * Longer than it takes to answer the request that caused a message: whether there is something to deliver
 * must not show in that time (EN-02).
 */
const WAKE_AFTER_MS = 50

/** Delivers what the outbox holds, at least once, in any number of instances. */
export class OutboxWorker implements AsyncDisposable {
  readonly #lanes: readonly Lane[]
  readonly #database: Database
  #waking: NodeJS.Timeout | undefined

  constructor({
    database,
    box,
    logger,
    handlers,
    keepDelivered,
    policy,
    policies,
  }: OutboxWorkerDeps) {
    const store = new OutboxStore(database.pool, keepDelivered)
    this.#database = database
    this.#lanes = (Object.keys(handlers) as OutboxTopic[]).flatMap((topic) => {
      const handler = handlers[topic]
      return handler
        ? [
            new Lane({
              topic,
              handler,
              store,
              box,
              logger,
              policy: { ...DEFAULT_POLICY, ...policies?.[topic], ...policy },
            }),
          ]
        : []
    })
  }

  /**
   * Starts delivering, and wakes by itself soon after every commit of this process that enqueued
   * something.
   */
  start(): void {
    this.#wakeAfterCommit()
    for (const lane of this.#lanes) lane.start()
  }

  /** Looks into the table now instead of at the next poll. */
  wake(): void {
    for (const lane of this.#lanes) lane.wake()
  }

  /**
   * Tries everything that is due once and resolves when that has ended, started or not; for tests
   * and commands.
   */
  async drain(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.drain()))
  }

  /** At most five seconds, whatever the receivers and the database do. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#waking)
    await Promise.all(this.#lanes.map((lane) => lane.stop()))
  }

  #wakeSoon(): void {
    // Begun anew by every commit: the last of several has an answer to come too. Under a steady
    // stream the next poll takes them.
    if (this.#waking) this.#waking.refresh()
    else this.#waking = setTimeout(() => this.wake(), WAKE_AFTER_MS).unref()
  }

  #wakeAfterCommit(): void {
    const enqueued = new WeakSet<object>()
    this.#database.em.getEventManager().registerSubscriber({
      getSubscribedEntities: () => [OutboxMessage],
      afterCreate: ({ em }) => void enqueued.add(em),
      afterTransactionCommit: ({ em }) => {
        if (enqueued.delete(em)) this.#wakeSoon()
      },
    })
  }
}
