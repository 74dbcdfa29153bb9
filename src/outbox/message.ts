import type { OutboxTopic } from '../entities/outbox-message.ts'

export type { OutboxTopic }
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined }

/** One attempt at one message. `id` is stable over all attempts: receivers can tell a duplicate by it. */
export interface Delivery {
  readonly id: string
  readonly topic: OutboxTopic
  /** 1 for the first attempt. */
  readonly attempt: number
  readonly createdAt: Date
  /** Aborts at the delivery timeout and at shutdown; a handler that ignores it is left behind. */
  readonly signal: AbortSignal
}

/** Resolves when the receiver has taken the message. The body is what was enqueued, as JSON. */
export type Handler = (body: JsonValue, delivery: Delivery) => Promise<void>
export type Handlers = Partial<Record<OutboxTopic, Handler>>

/**
 * The receiver will never take this message. The text reaches the log and the table: no address, no
 * content.
 */
export class PermanentFailure extends Error {
  override readonly name = 'PermanentFailure'
}

/**
 * The receiver did not take this message now. The text reaches the log and the table: no address,
 * no content.
 */
export class TemporaryFailure extends Error {
  override readonly name = 'TemporaryFailure'
  /**
   * Age in milliseconds at which this answer is believed; without it the message waits as long as
   * the policy allows.
   */
  readonly finalAtMs: number | undefined

  constructor(message: string, { finalAtMs }: { readonly finalAtMs?: number } = {}) {
    super(message)
    this.finalAtMs = finalAtMs
  }
}

/** Nothing can be delivered on this topic for now: every message waits and none of them loses an attempt. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/**
 * What may be written down about a failure. Foreign errors may quote mail or addresses, so only
 * their kind is kept (LG-02).
 */
export function reasonOf(error: unknown): string {
  if (
    error instanceof PermanentFailure ||
    error instanceof TemporaryFailure ||
    error instanceof Unreachable
  )
    return error.message.slice(0, 500)
  const { name, code } =
    error instanceof Error
      ? (error as Error & { code?: unknown })
      : { name: typeof error, code: undefined }
  return (typeof code === 'string' ? `${name} ${code}` : name).slice(0, 500)
}
