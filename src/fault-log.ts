import { isUnavailable } from './database/database.ts'
import { AppError } from './errors.ts'
import type { Logger } from './logger/logger.ts'
import { RedisUnavailable } from './redis/redis.ts'

/** What passes by itself, and makes many requests fail alike. */
type Outage = 'database' | 'redis' | 'load'

/** Nobody was refused for so long: it is over. */
const CALM_MS = 10_000

interface Crowd {
  readonly began: number
  refused: number
  timer: NodeJS.Timeout
}

/**
 * Requests that fail: a fault of ours in full each time; an outage by one line when it begins and
 * one when it is over.
 */
export class FaultLog {
  readonly #logger: Logger
  readonly #calmMs: number
  readonly #crowds = new Map<Outage, Crowd>()

  constructor({ logger, calmMs = CALM_MS }: { readonly logger: Logger; readonly calmMs?: number }) {
    this.#logger = logger
    this.#calmMs = calmMs
  }

  report(error: unknown, requestId: unknown): void {
    const outage = outageOf(error)
    if (!outage) {
      this.#logger.error({ err: error, requestId }, 'request failed')
      return
    }
    const crowd = this.#crowds.get(outage)
    if (crowd) {
      crowd.refused += 1
      crowd.timer.refresh()
      return
    }
    const timer = setTimeout(() => this.#over(outage), this.#calmMs).unref()
    this.#crowds.set(outage, { began: performance.now(), refused: 1, timer })
    const facts = {
      event: 'requests.unavailable',
      outage,
      err: error instanceof AppError ? (error.cause ?? error) : error,
      requestId,
    }
    this.#logger[outage === 'database' ? 'error' : 'warn'](
      facts,
      'requests are answered with 503; one line when it is over',
    )
  }

  #over(outage: Outage): void {
    const { began, refused } = this.#crowds.get(outage) ?? { began: 0, refused: 0 }
    this.#crowds.delete(outage)
    const seconds = Math.round((performance.now() - began - this.#calmMs) / 1000)
    this.#logger.warn(
      { event: 'requests.available', outage, refused, seconds },
      'no request is answered with 503 any more',
    )
  }
}

function outageOf(error: unknown): Outage | undefined {
  if (isUnavailable(error)) return 'database'
  if (error instanceof RedisUnavailable) return 'redis'
  if (!(error instanceof AppError) || error.code !== 'unavailable') return undefined
  return error.cause === undefined ? 'load' : (outageOf(error.cause) ?? 'load')
}
