import type { IncomingMessage } from 'node:http'
import { parse } from 'node:querystring'
import type { Middleware } from 'koa'
import { hasArrived } from '../oidc/arrival.ts'
import type { AuthorizationServer } from '../oidc/authorization-server.ts'
import { ENDPOINTS, type Endpoint, endpointOf } from '../oidc/endpoints.ts'
import type { PlainAnswer, PlainRequests } from '../oidc/fast-path/plain-requests.ts'
import { refuse } from '../oidc/outages.ts'

const { userinfo, token, introspection }: Record<string, Endpoint> = ENDPOINTS
const FORM = /^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i
const MAX_FORM = 2048
/** Browsers of other origins, and other proofs of who a client is: the provider looks at these. */
const ODD = ['origin', 'dpop', 'oauth-client-attestation', 'oauth-client-attestation-pop']

/** As the provider sends them to clients that are no browsers. */
const HEADERS = {
  Vary: 'Origin',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'WWW-Authenticate',
}

/** Answers plain requests on the fast path. The provider finds everything else untouched, its body unread. */
export function plainRequests(server: AuthorizationServer): Middleware {
  return async (ctx, next) => {
    const { provider, plain } = server
    const body = await answerTo(ctx.req, endpointOf(ctx), plain).catch((error: unknown) => {
      ctx.set(HEADERS)
      refuse(provider, ctx, error)
    })
    if (ctx.body != null) return
    if (body === undefined) return next()
    ctx.set(HEADERS)
    ctx.body = body
  }
}

async function answerTo(
  req: IncomingMessage,
  endpoint: Endpoint | undefined,
  plain: PlainRequests,
): PlainAnswer {
  const { authorization } = req.headers
  // With a query, or named by its whole address: the provider's.
  if (req.url !== endpoint?.path) return undefined
  if (authorization === undefined || ODD.some((name) => req.headers[name] !== undefined))
    return undefined
  if (endpoint === userinfo) return req.method === 'GET' ? plain.userinfo(authorization) : undefined
  if (req.method !== 'POST' || (endpoint !== token && endpoint !== introspection)) return undefined
  const form = await peek(req)
  if (form === undefined) return undefined
  return endpoint === token
    ? plain.token(authorization, parse(form))
    : plain.introspection(authorization, parse(form))
}

/** The form, if it has come in one piece; it stays to be read. */
function peek(req: IncomingMessage): Promise<string | undefined> | undefined {
  const { 'content-type': type = '', 'content-length': length = '' } = req.headers
  if (!FORM.test(type) || !(Number(length) > 0) || Number(length) > MAX_FORM) return undefined
  return new Promise((resolve) => {
    const look = () => {
      req.off('readable', look).off('close', look)
      hasArrived()
      const chunk = req.read() as Buffer | null
      if (chunk) req.unshift(chunk)
      const text = chunk?.toString('latin1') ?? ''
      resolve(String(chunk?.length) === length && /^[!-~]*$/.test(text) ? text : undefined)
    }
    req.on('readable', look).on('close', look)
  })
}
