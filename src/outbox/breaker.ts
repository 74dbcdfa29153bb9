import { exponential, jittered } from './backoff.ts'

/** After an unreachable receiver: pauses, then one probe at a time until something gets through. */
export class Breaker {
  readonly #firstMs: number
  readonly #maxMs: number
  #failures = 0
  #until = 0

  constructor({
    firstPauseMs,
    maxPauseMs,
  }: { readonly firstPauseMs: number; readonly maxPauseMs: number }) {
    this.#firstMs = firstPauseMs
    this.#maxMs = maxPauseMs
  }

  get isClosed(): boolean {
    return this.#failures === 0
  }

  /** Milliseconds until the next probe may go out. */
  get remainingMs(): number {
    return Math.max(0, this.#until - performance.now())
  }

  reached(): void {
    this.#failures = 0
    this.#until = 0
  }

  /** Answers the pause. Attempts that fail together, while a pause already runs, count once. */
  unreachable(): number {
    if (this.remainingMs === 0) {
      this.#failures += 1
      this.#until =
        performance.now() + jittered(exponential(this.#failures, this.#firstMs, this.#maxMs))
    }
    return this.remainingMs
  }
}
