import { AppError } from '../errors.ts'

export interface BoundedQueueOptions {
  /** Pieces of work that run at once. */
  readonly slots: number
  /** Callers that may wait for a slot. */
  readonly queueLimit: number
  /** How long one of them waits at most. */
  readonly deadlineMs: number
}

const WEIGHT_OF_LATEST = 0.1

/**
 * Admission control for work that is dear: first come, first served, and a refusal instead of an
 * endless queue.
 */
export class BoundedQueue {
  readonly #options: BoundedQueueOptions
  /** In order of arrival. */
  readonly #waiting = new Set<() => void>()
  #running = 0
  /** How long a piece of work has recently taken. */
  #usualMs = 0
  #refused = 0

  constructor(options: BoundedQueueOptions) {
    this.#options = options
  }

  get stats(): { readonly running: number; readonly waiting: number; readonly refused: number } {
    return { running: this.#running, waiting: this.#waiting.size, refused: this.#refused }
  }

  /**
   * Throws `unavailable` when too many wait already, or when no slot came free before the deadline;
   * the work has then not begun.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter()
    const began = performance.now()
    try {
      return await work()
    } finally {
      this.#usualMs += (performance.now() - began - this.#usualMs) * WEIGHT_OF_LATEST
      this.#leave()
    }
  }

  /**
   * Throws `unavailable` when a request that comes now would be refused, or would wait in vain at
   * the recent pace.
   */
  refuseWhenFull(): void {
    const { slots, queueLimit, deadlineMs } = this.#options
    if (this.#running < slots) return
    const ahead = this.#waiting.size
    if (ahead >= queueLimit || (ahead / slots) * this.#usualMs > deadlineMs) throw this.#busy()
  }

  async #enter(): Promise<void> {
    const { slots, deadlineMs } = this.#options
    this.refuseWhenFull()
    if (this.#running < slots) {
      this.#running += 1
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      this.#waiting.delete(admit)
      reject(this.#busy())
    }, deadlineMs)
    const admit = (): void => {
      clearTimeout(timer)
      resolve()
    }
    this.#waiting.add(admit)
    await promise
  }

  /** Hands the slot to the next in line, so that nobody who comes now gets ahead. */
  #leave(): void {
    const [next] = this.#waiting
    if (!next) {
      this.#running -= 1
      return
    }
    this.#waiting.delete(next)
    next()
  }

  #busy(): AppError {
    this.#refused += 1
    return new AppError('unavailable', {
      retryAfterSeconds: Math.max(1, Math.ceil(this.#options.deadlineMs / 1000)),
    })
  }
}
