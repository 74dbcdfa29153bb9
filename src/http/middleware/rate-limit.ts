import type { Context, Middleware } from 'koa'
import ratelimit from 'koa-ratelimit'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import { BoundedMap } from '../../bounded-map.ts'
import { ADJUSTABLE, type AdjustableLimits, LIMITS, type LimitName } from '../../config/limits.ts'
import { AppError } from '../../errors.ts'
import { networkOf } from '../../network.ts'
import { originOf } from '../state.ts'
import { type LimitUnits, memoryUnits } from './limit-units.ts'
import { reservingLimit } from './reserving-limit.ts'

/** Where counts live: in the process, or in Redis for all instances. */
export interface LimitStore {
  readonly options: (name: LimitName) => Pick<ratelimit.MiddlewareOptions, 'driver' | 'db'>
  /** Of limits whose units are given back. */
  readonly units: LimitUnits
  /** Counts at a quarter of the rate while the store cannot be used: a limit never fails open. */
  readonly whenDown?: LimitStore
}

const QUARTER = 0.25

/**
 * Counts of one process, bounded: the oldest key makes room, so that no flood of addresses fills
 * the memory.
 */
export function memoryLimits(maxKeys = 50_000): LimitStore {
  const db = new BoundedMap<unknown>(maxKeys)
  return { options: () => ({ driver: 'memory', db }), units: memoryUnits(maxKeys) }
}

/**
 * Makes the middleware of a named limit: counted by route identity and the caller's network, never
 * by the raw path (RL-05).
 */
export type RateLimit = (name: LimitName) => Middleware

/**
 * Told of the first refusal of a network within a window, not of every one: a flood must not become
 * a flood of events.
 */
export type OnRefused = (name: LimitName, origin: RequestOrigin) => void

export function createRateLimit(
  store: LimitStore,
  adjusted: AdjustableLimits,
  onRefused: OnRefused = () => undefined,
): RateLimit {
  const told = new BoundedMap<number>(10_000)
  return (name) => {
    const { windowSeconds } = LIMITS[name]
    const tellOnce = (ctx: Context): void => {
      const origin = originOf(ctx)
      const key = `${name}:${networkOf(origin.ip)}`
      if ((told.get(key) ?? 0) > Date.now()) return
      told.set(key, Date.now() + windowSeconds * 1000)
      onRefused(name, origin)
    }
    const telling =
      (count: Middleware): Middleware =>
      async (ctx, next) => {
        let isAdmitted = false
        try {
          await count(ctx, () => {
            isAdmitted = true
            return next()
          })
        } catch (error) {
          if (!isAdmitted && error instanceof AppError) tellOnce(ctx)
          throw error
        }
      }
    const [adjustable] = ADJUSTABLE.filter((other) => other === name)
    if (adjustable)
      return telling(
        reservingLimit(
          { name, max: adjusted[adjustable], windowSeconds },
          store.units,
          store.whenDown?.units,
        ),
      )
    return telling(counting(store, name))
  }
}

/** Counts every request. */
function counting(store: LimitStore, name: LimitName): Middleware {
  const count = limiter(store, name, 1)
  const countAlone = store.whenDown && limiter(store.whenDown, name, QUARTER)
  return async (ctx, next) => {
    await count(ctx).catch((error: unknown) => {
      if (error instanceof AppError || !countAlone) throw error
      return countAlone(ctx)
    })
    await next()
  }
}

/**
 * Counts the request; refuses it (429) over the limit, and throws anything else when the store
 * cannot be used.
 */
function limiter(
  { options }: LimitStore,
  name: LimitName,
  share: number,
): (ctx: Context) => Promise<void> {
  const { max, windowSeconds } = LIMITS[name]
  const middleware = ratelimit({
    ...options(name),
    duration: windowSeconds * 1000,
    max: Math.max(1, Math.floor(max * share)),
    id: (ctx) => `${name}:${networkOf(originOf(ctx).ip)}`,
    disableHeader: true,
    throw: true,
  })
  return async (ctx) => {
    try {
      await middleware(ctx, async () => undefined)
    } catch (cause) {
      const after = ctx.state.rateLimit?.after
      if (after === undefined) throw cause
      throw new AppError('too_many_requests', { retryAfterSeconds: Math.max(1, after) })
    }
  }
}
