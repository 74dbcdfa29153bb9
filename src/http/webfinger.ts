import { domainToASCII } from 'node:url'
import type { Context, Middleware } from 'koa'
import { LIFETIMES } from '../config/limits.ts'
import { AppError } from '../errors.ts'
import { ENDPOINTS, endpointOf } from '../oidc/endpoints.ts'

/** OpenID Connect Discovery 2: where the people of a domain sign in. */
const ISSUER = 'http://openid.net/specs/connect/1.0/issuer'
const ACCOUNT = /^acct:[^@\s]+@([^@\s\\/?#%:]+)$/i

interface WebFingerDeps {
  readonly issuer: string
  readonly webFingerDomains: readonly string[]
}

/**
 * WebFinger (RFC 7033) of the configured domains. Every account of them has the same answer and
 * none is looked up, so it tells nobody who has one (EN-01).
 */
export function webFinger(deps: WebFingerDeps): Middleware {
  return (ctx, next) => {
    if (endpointOf(ctx) !== ENDPOINTS.webFinger) return next()
    ctx.set('Access-Control-Allow-Origin', '*')
    if (ctx.method === 'OPTIONS') {
      ctx.set('Access-Control-Allow-Methods', 'GET')
      ctx.status = 204
      return undefined
    }
    return ctx.method === 'GET' || ctx.method === 'HEAD' ? answer(ctx, deps) : next()
  }
}

function answer(ctx: Context, { issuer, webFingerDomains: domains }: WebFingerDeps): void {
  const asked = new URLSearchParams(ctx.querystring)
  const [resource, ...more] = asked.getAll('resource')
  if (!resource || more.length > 0) throw new AppError('invalid_input')
  const [, domain = ''] = ACCOUNT.exec(resource) ?? []
  if (!domains.includes(domainToASCII(domain))) throw new AppError('not_found')
  const wanted = asked.getAll('rel')
  const isWanted = wanted.length === 0 || wanted.includes(ISSUER)
  ctx.set('Cache-Control', `public, max-age=${LIFETIMES.jwksCache}`)
  ctx.type = 'application/jrd+json'
  ctx.body = JSON.stringify({
    subject: resource,
    links: isWanted ? [{ rel: ISSUER, href: issuer }] : [],
  })
}
