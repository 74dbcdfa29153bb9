import type { Context, Middleware } from 'koa'
import { isUnavailable } from '../../database/database.ts'
import { AppError, StartupError } from '../../errors.ts'
import type { FaultLog } from '../../fault-log.ts'

/** How one door shows a refusal. */
export type Present = (ctx: Context, error: AppError) => void

/**
 * One translator: every error becomes an `AppError`, and the unknown ones say nothing but a request
 * id (LG-05).
 */
export function errorHandler(faults: FaultLog, present: Present): Middleware {
  return async (ctx, next) => {
    try {
      await next()
      if (ctx.status === 404 && ctx.body == null) throw new AppError('not_found')
      if (ctx.status === 405 && ctx.body == null) throw new AppError('method_not_allowed')
    } catch (error) {
      const refusal = translate(error)
      if (refusal.status >= 500) faults.report(error, ctx.state.requestId)
      ctx.status = refusal.status
      if (refusal.details.retryAfterSeconds)
        ctx.set('Retry-After', String(refusal.details.retryAfterSeconds))
      else if (refusal.status === 503) ctx.set('Retry-After', '1')
      ctx.set('Cache-Control', 'no-store')
      // Of an answer that was under way: it may carry a code.
      ctx.remove('Location')
      present(ctx, refusal)
    }
  }
}

/**
 * The database's faults pass, and what the operator can mend (a key that is missing) may be mended:
 * both are `unavailable`. Everything else unknown is ours.
 */
export function translate(error: unknown): AppError {
  if (error instanceof AppError) return error
  const { status, expose } = (error ?? {}) as { status?: unknown; expose?: unknown }
  if (isUnavailable(error) || error instanceof StartupError)
    return new AppError('unavailable', { retryAfterSeconds: 1, cause: error })
  if (expose === true && status === 413) return new AppError('payload_too_large', { cause: error })
  if (expose === true && typeof status === 'number' && status < 500)
    return new AppError('invalid_input', { cause: error })
  return new AppError('internal_error', { cause: error })
}
