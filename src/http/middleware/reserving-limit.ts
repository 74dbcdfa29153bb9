import type { Context, Middleware } from 'koa'
import { canonicalEmail } from '../../accounts/canonical-email.ts'
import { CAPS, type Limit } from '../../config/limits.ts'
import { AppError } from '../../errors.ts'
import { networkOf } from '../../network.ts'
import { originOf } from '../state.ts'
import { type LimitUnits, memoryUnits } from './limit-units.ts'

/** What is counted together where somebody guesses. */
export interface ReservedLimit extends Limit {
  readonly name: string
}

const QUARTER = 0.25
const halfway = new WeakSet<Context>()

/** What was shown is right and not enough: a password, before the second factor. It gives nothing back. */
export function isHalfway(ctx: Context): void {
  halfway.add(ctx)
}

/**
 * A limit on wrong passwords and codes. Every try takes a unit before anything is judged; one that
 * succeeds gives back its own and no other, so that right ones do not lock an office out and do not
 * pay for wrong ones. Successes are bounded widely, by network and account; what is over that stays
 * counted.
 */
export function reservingLimit(
  { name, max, windowSeconds }: ReservedLimit,
  units: LimitUnits,
  whenDown?: LimitUnits,
): Middleware {
  const successes = memoryUnits()
  const mayGiveBack = async (ctx: Context, key: string): Promise<boolean> => {
    const account = accountOf(ctx)
    const byAccount = { max: CAPS.successesPerAccount, windowSeconds }
    if (account && !('unit' in (await successes.take(`${name}:${account}`, byAccount))))
      return false
    return 'unit' in (await successes.take(key, { max: max * CAPS.successesTimes, windowSeconds }))
  }
  return async (ctx, next) => {
    const key = `limit:${name}:${networkOf(originOf(ctx).ip)}`
    let from = units
    const taken = await units.take(key, { max, windowSeconds }).catch((error: unknown) => {
      if (!whenDown) throw error
      from = whenDown
      return whenDown.take(key, { max: Math.max(1, Math.floor(max * QUARTER)), windowSeconds })
    })
    if (!('unit' in taken))
      throw new AppError('too_many_requests', {
        retryAfterSeconds: Math.max(1, taken.retryAfterSeconds),
      })
    await next()
    // Nobody waits for it: a unit that cannot be given back stays counted.
    if (isSuccess(ctx) && (await mayGiveBack(ctx, key)))
      from.giveBack(key, taken.unit).catch(() => undefined)
  }
}

/** 202: a mail was asked for, and nothing was shown yet. */
function isSuccess(ctx: Context): boolean {
  return ctx.status < 400 && ctx.status !== 202 && !halfway.has(ctx)
}

function accountOf(ctx: Context): string | undefined {
  const { principal, visitor, json, form } = ctx.state
  const typed = (json as { email?: unknown } | undefined)?.email ?? form?.['username']
  return (
    (principal?.kind === 'person' ? principal.accountId : undefined) ??
    visitor?.account.id ??
    (typeof typed === 'string' ? canonicalEmail(typed) : undefined)
  )
}
