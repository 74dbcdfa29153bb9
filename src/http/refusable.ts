import type { Context } from 'koa'
import { AppError } from '../errors.ts'
import { type Problems, problemsOf } from '../views/views.ts'

/**
 * Runs the step behind a form; a refusal, or a provider that is away, shows the form again with its
 * status, every other error goes on (UX-10).
 */
export async function refusable(
  ctx: Context,
  step: () => Promise<void>,
  show: (problems: Problems) => void | Promise<void>,
): Promise<void> {
  try {
    await step()
  } catch (error) {
    if (!(error instanceof AppError) || !leavesForm(error)) throw error
    ctx.status = error.status
    if (error.details.retryAfterSeconds)
      ctx.set('Retry-After', String(error.details.retryAfterSeconds))
    await show(problemsOf(error))
  }
}

const leavesForm = ({ status, code }: AppError): boolean =>
  status < 500 || code === 'upstream_unavailable'
