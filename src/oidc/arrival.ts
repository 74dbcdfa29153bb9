import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage } from 'node:http'

/** No request counts as having come earlier than that: one that waits for longer is judged by the clock. */
const MOST_SECONDS = 10

/** When the last byte of the request under way was there. */
interface Arrival {
  at?: number
}

const arrivals = new AsyncLocalStorage<Arrival>()

/**
 * Remembers when the request was complete, which may be long before it is judged: a double submit
 * waits for a lock or in a queue.
 */
export function withArrival<T>(req: Pick<IncomingMessage, 'once'>, work: () => T): T {
  const arrival: Arrival = {}
  req.once('end', () => complete(arrival))
  return arrivals.run(arrival, work)
}

/** Called once all of the body was seen and left to be read. */
export function hasArrived(): void {
  complete(arrivals.getStore())
}

function complete(arrival: Arrival | undefined): void {
  if (arrival) arrival.at ??= performance.now()
}

/** How long the request under way has waited here, by one clock. */
export function secondsSinceArrival(): number {
  const { at = performance.now() } = arrivals.getStore() ?? {}
  return Math.min((performance.now() - at) / 1000, MOST_SECONDS)
}
