/** How hard and how long delivery is tried. Milliseconds, if not named otherwise. */
export interface DeliveryPolicy {
  /** How often the table is read when nobody calls `wake()`. */
  readonly pollMs: number
  /** Attempts under way at once, per topic. */
  readonly concurrency: number
  /** An attempt that takes longer counts as unreachable. */
  readonly timeoutMs: number
  /** First and longest delay after a temporary failure; doubled with every attempt, jittered. */
  readonly firstDelayMs: number
  readonly maxDelayMs: number
  /** A message is given up after so many judged attempts, or at this age. */
  readonly maxAttempts: number
  readonly maxAgeMs: number
  /** First and longest pause of a topic whose receiver cannot be reached. */
  readonly firstPauseMs: number
  readonly maxPauseMs: number
  /** How long a shutdown lets attempts finish before it aborts them. */
  readonly graceMs: number
}

export const DEFAULT_POLICY: DeliveryPolicy = {
  pollMs: 1000,
  concurrency: 4,
  timeoutMs: 45_000,
  firstDelayMs: 60_000,
  maxDelayMs: 86_400_000,
  maxAttempts: 20,
  maxAgeMs: 72 * 3_600_000,
  firstPauseMs: 1000,
  maxPauseMs: 12_000,
  graceMs: 3500,
}
