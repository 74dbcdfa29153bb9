import type { Context } from 'koa'
import type { AppError } from '../../errors.ts'

/** The JSON shape of every refusal. */
export function presentJson(ctx: Context, { code, message, details }: AppError): void {
  ctx.type = 'json'
  ctx.body = {
    error: code,
    message,
    request_id: ctx.state.requestId,
    ...details.extra,
    ...(details.fields ? { fields: details.fields } : {}),
  }
}
