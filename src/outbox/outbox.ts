import { randomUUID } from 'node:crypto'
import type { SecretBox } from '../crypto/secret-box.ts'
import { inSeconds } from '../database/clock.ts'
import type { EntityManager } from '../database/database.ts'
import { OutboxMessage } from '../entities/index.ts'
import type { JsonValue, OutboxTopic } from './message.ts'

/** Due at once whatever the difference between our clock and the database's. */
const AT_ONCE = new Date(0)

/** Where use cases leave what must happen after their transaction, and only if it commits. */
export class Outbox {
  readonly #box: SecretBox

  constructor({ box }: { readonly box: SecretBox }) {
    this.#box = box
  }

  /**
   * Persists in the caller's unit of work; the caller flushes. The body is encrypted and bound to
   * the message's id.
   */
  enqueue(em: EntityManager, topic: OutboxTopic, body: JsonValue, waitSeconds?: number): void {
    const id = randomUUID()
    em.persist(
      em.create(OutboxMessage, {
        id,
        topic,
        bodyBox: this.#box.seal(JSON.stringify(body), id),
        availableAt:
          waitSeconds === undefined ? AT_ONCE : new Date(Date.now() + waitSeconds * 1000),
      }),
    )
  }

  /**
   * For later, and only while the mailed token that it is `about` is there: it goes with it. Its age
   * counts from then.
   */
  async plan(
    em: EntityManager,
    topic: OutboxTopic,
    body: JsonValue,
    { about, seconds }: { readonly about: string; readonly seconds: number },
  ): Promise<void> {
    const id = randomUUID()
    await em.insert(OutboxMessage, {
      id,
      topic,
      bodyBox: this.#box.seal(JSON.stringify(body), id),
      about,
      createdAt: inSeconds(seconds),
      availableAt: inSeconds(seconds),
    })
  }
}
