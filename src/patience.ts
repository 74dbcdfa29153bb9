import { setTimeout as sleep } from 'node:timers/promises'

/** How long a start waits for what it cannot do without. A command does not wait. */
export interface Patience {
  readonly ms: number
  /** Ends the wait: it then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Hears what is waited for and why, once for each reason. */
  readonly tell?: (what: string, why: string) => void
}

export const AT_ONCE: Patience = { ms: 0 }

const PAUSE_MS = 250

/**
 * Tries until it works, until it fails for a reason that does not pass, or until the patience is
 * over: then with the last error.
 */
export async function waitFor<T>(
  what: string,
  attempt: () => Promise<T>,
  {
    patience,
    whyPassing,
  }: { readonly patience: Patience; readonly whyPassing: (error: unknown) => string | undefined },
): Promise<T> {
  const end = performance.now() + patience.ms
  let told: string | undefined
  for (;;) {
    patience.signal?.throwIfAborted()
    try {
      return await untilAborted(attempt(), patience.signal)
    } catch (error) {
      patience.signal?.throwIfAborted()
      const why = whyPassing(error)
      if (why === undefined || performance.now() + PAUSE_MS > end) throw error
      if (why !== told) patience.tell?.(what, why)
      told = why
    }
    await sleep(PAUSE_MS, undefined, patience.signal ? { signal: patience.signal } : {}).catch(
      () => undefined,
    )
  }
}

/** The work goes on behind the caller's back if the signal comes first: only for work that ends by itself. */
export async function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (!signal) return work
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason as Error)
  signal.addEventListener('abort', abort)
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}
