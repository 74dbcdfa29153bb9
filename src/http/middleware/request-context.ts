import { randomUUID } from 'node:crypto'
import type { Middleware } from 'koa'
import { withOrigin } from '../../audit/current-origin.ts'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import type { Logger } from '../../logger/logger.ts'
import { withArrival } from '../../oidc/arrival.ts'
import { clientAddress } from './client-address.ts'

/** What proxies say of the caller. */
const FORWARDED = ['x-forwarded-for', 'forwarded', 'x-real-ip']
const UNTRUSTED =
  'a request came through a proxy, and TRUSTED_PROXY_HOPS is 0: everybody shares one address and its limits. Set it to the number of proxies in front'

/**
 * Names the request, finds out who calls, and drops cookies that came twice: one of them was
 * planted (SE-03).
 */
export function requestContext({
  trustedProxyHops,
  sessionCookies,
  logger,
}: {
  trustedProxyHops: number
  sessionCookies: readonly string[]
  logger: Pick<Logger, 'warn'>
}): Middleware {
  let isTold = trustedProxyHops > 0
  return (ctx, next) => {
    if (!isTold && FORWARDED.some((name) => ctx.req.headers[name] !== undefined)) {
      isTold = true
      logger.warn({ event: 'proxy.untrusted' }, UNTRUSTED)
    }
    const requestId = randomUUID()
    const ip = clientAddress(ctx.req, trustedProxyHops)
    ctx.state.requestId = requestId
    const origin: RequestOrigin = { ip, userAgent: ctx.get('user-agent').slice(0, 512), requestId }
    ctx.state.origin = origin
    ctx.res.setHeader('X-Request-Id', requestId)
    dropDuplicates(ctx.req.headers, sessionCookies)
    return withArrival(ctx.req, () => withOrigin(origin, next))
  }
}

function dropDuplicates(headers: { cookie?: string | undefined }, names: readonly string[]): void {
  if (!headers.cookie) return
  const pairs = headers.cookie.split(';').map((pair) => {
    const text = pair.trim()
    return { text, name: text.slice(0, Math.max(0, text.indexOf('='))) }
  })
  const seen = new Set<string>()
  const doubled = new Set<string>()
  for (const { name } of pairs) (seen.has(name) ? doubled : seen).add(name)
  const planted = new Set(
    names.filter((name) => doubled.has(name)).flatMap((name) => [name, `${name}.sig`]),
  )
  if (planted.size > 0)
    headers.cookie = pairs
      .filter(({ name }) => !planted.has(name))
      .map(({ text }) => text)
      .join('; ')
}
