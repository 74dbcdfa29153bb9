import type { Context } from 'koa'
import { AppError } from '../../errors.ts'

/** The link's secret: from the query of the landing page, from the form of its button. */
export function tokenOf(ctx: Context): string {
  const { form } = ctx.state
  const token = form ? form['token'] : ctx.query['token']
  if (typeof token !== 'string' || token === '' || token.length > 128)
    throw new AppError('invalid_link')
  return token
}
