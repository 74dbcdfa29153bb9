import {
  type Delivery,
  type Handler,
  type JsonValue,
  PermanentFailure,
  TemporaryFailure,
  Unreachable,
} from './message.ts'

export type Outcome =
  | { readonly status: 'delivered' }
  | { readonly status: 'refused'; readonly error: unknown }
  | { readonly status: 'retry'; readonly error: unknown }
  | { readonly status: 'unreachable'; readonly error: unknown }
  | { readonly status: 'aborted' }

export interface AttemptOptions {
  readonly timeoutMs: number
  /** Aborts at shutdown. */
  readonly shutdown: AbortSignal
}

/** Runs one attempt to its end, its timeout or the shutdown, whichever is first. Never rejects. */
export async function attempt(
  handler: Handler,
  body: () => JsonValue,
  delivery: Omit<Delivery, 'signal'>,
  options: AttemptOptions,
): Promise<Outcome> {
  const { timeoutMs, shutdown } = options
  if (shutdown.aborted) return { status: 'aborted' }
  const { promise: ended, resolve: end } = Promise.withResolvers<Outcome>()
  const controller = new AbortController()
  const stop = (outcome: Outcome) => {
    end(outcome)
    controller.abort()
  }
  const abort = () => stop({ status: 'aborted' })
  const timer = setTimeout(
    () =>
      stop({ status: 'unreachable', error: new Unreachable(`no answer within ${timeoutMs} ms`) }),
    timeoutMs,
  )
  shutdown.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([
      ended,
      run(handler, body, { ...delivery, signal: controller.signal }),
    ])
  } finally {
    clearTimeout(timer)
    shutdown.removeEventListener('abort', abort)
  }
}

async function run(handler: Handler, body: () => JsonValue, delivery: Delivery): Promise<Outcome> {
  let opened: JsonValue
  try {
    opened = body()
  } catch {
    // A key missing from the configuration can come back: not a reason to give the message up at once.
    return {
      status: 'retry',
      error: new TemporaryFailure('the body cannot be decrypted with the configured keys'),
    }
  }
  try {
    await handler(opened, delivery)
    return { status: 'delivered' }
  } catch (error) {
    if (error instanceof PermanentFailure) return { status: 'refused', error }
    if (error instanceof Unreachable) return { status: 'unreachable', error }
    return { status: 'retry', error }
  }
}
