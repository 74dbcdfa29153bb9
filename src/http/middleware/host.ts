import type { Middleware } from 'koa'
import { AppError } from '../../errors.ts'

/**
 * Answers for the issuer's host only, with its port or without the one that goes without saying
 * (WB-10); health checks come by address and are let through before this.
 */
export function issuerHostOnly(issuer: string): Middleware {
  const { host, port, protocol } = new URL(issuer)
  const hosts = new Set([host, port ? host : `${host}:${protocol === 'https:' ? 443 : 80}`])
  return (ctx, next) => {
    if (!hosts.has(ctx.req.headers.host?.toLowerCase() ?? ''))
      throw new AppError('misdirected_request')
    if (countHosts(ctx.req.rawHeaders) > 1) throw new AppError('invalid_input')
    return next()
  }
}

/** Node keeps the first of several; a proxy in front may have gone by the last (RFC 9112 3.2). */
function countHosts(rawHeaders: readonly string[]): number {
  return rawHeaders.filter(
    (text, index) => index % 2 === 0 && text.length === 4 && text.toLowerCase() === 'host',
  ).length
}
