import type { IncomingMessage } from 'node:http'
import { parse } from 'node:querystring'
import type { Middleware } from 'koa'
import { hasArrived } from '../oidc/arrival.ts'
import type { AuthorizationServer } from '../oidc/authorization-server.ts'
import { ENDPOINTS, type Endpoint, endpointOf } from '../oidc/endpoints.ts'
import { isKnownRequest } from '../oidc/fast-path/allow-list.ts'
import type { FastAnswer, FastPath } from '../oidc/fast-path/requests.ts'
import { refuse } from '../oidc/outages.ts'

const { userinfo, token, introspection }: Record<string, Endpoint> = ENDPOINTS
const FORM = /^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i
const MAX_FORM = 2048
/** As the provider sends them to clients that are no browsers. */
const HEADERS = {
  Vary: 'Origin',
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'WWW-Authenticate',
}

/** Answers what the fast path knows. The engine finds everything else untouched, its body unread. */
export function fastPath(server: AuthorizationServer): Middleware {
  return async (ctx, next) => {
    const { provider, fastPath } = server
    const body = await answerTo(ctx.req, endpointOf(ctx), fastPath).catch((error: unknown) => {
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
  path: FastPath,
): FastAnswer {
  const { authorization } = req.headers
  // With a query, or named by its whole address: the engine's.
  if (req.url !== endpoint?.path) return undefined
  if (authorization === undefined || !isKnownRequest(req.headers)) return undefined
  if (endpoint === userinfo) return req.method === 'GET' ? path.userinfo(authorization) : undefined
  if (req.method !== 'POST' || (endpoint !== token && endpoint !== introspection)) return undefined
  const form = await peek(req)
  if (form === undefined) return undefined
  return endpoint === token
    ? path.token(authorization, parse(form))
    : path.introspection(authorization, parse(form))
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
