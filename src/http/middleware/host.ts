import type { Middleware } from 'koa'
import { AppError } from '../../errors.ts'

/** Answers for the issuer's host only (WB-10); health checks come by address and are let through before this. */
export function issuerHostOnly(issuer: string): Middleware {
  const { host } = new URL(issuer)
  return (ctx, next) => {
    if (ctx.req.headers.host?.toLowerCase() !== host) throw new AppError('misdirected_request')
    if (hosts(ctx.req.rawHeaders) > 1) throw new AppError('invalid_input')
    return next()
  }
}

/** Node keeps the first of several; whoever stands in front may have gone by the last (RFC 9112 3.2). */
function hosts(rawHeaders: readonly string[]): number {
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.length === 4 && text.toLowerCase() === 'host').length
}
