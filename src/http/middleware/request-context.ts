import { randomUUID } from 'node:crypto'
import type { Middleware } from 'koa'
import { withOrigin } from '../../audit/current-origin.ts'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import { withArrival } from '../../oidc/arrival.ts'
import { clientAddress } from './client-address.ts'

/** What every request carries from the first middleware on. */
export interface RequestState {
  requestId: string
  origin: RequestOrigin
  /** CSP nonce of this response. */
  nonce: string
}

/** Names the request, finds out who calls, and drops cookies that came twice: one of them was planted (SE-03). */
export function requestContext({
  trustedProxyHops,
  sessionCookies,
}: {
  trustedProxyHops: number
  sessionCookies: readonly string[]
}): Middleware {
  return (ctx, next) => {
    const requestId = randomUUID()
    const ip = clientAddress(ctx.req, trustedProxyHops)
    ctx.state['requestId'] = requestId
    const origin: RequestOrigin = { ip, userAgent: ctx.get('user-agent').slice(0, 512), requestId }
    ctx.state['origin'] = origin
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
  const planted = new Set(names.filter((name) => doubled.has(name)).flatMap((name) => [name, `${name}.sig`]))
  if (planted.size > 0)
    headers.cookie = pairs
      .filter(({ name }) => !planted.has(name))
      .map(({ text }) => text)
      .join('; ')
}
