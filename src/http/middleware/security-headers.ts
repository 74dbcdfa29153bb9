import { randomBytes } from 'node:crypto'
import type { Context, Middleware } from 'koa'

/** What a response may do before anybody knows whether it is a page: nothing but our own files. */
const BASELINE =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
const CLOSED = "base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

/** The same on every response, page or not (WB-02, AZ-11). */
function fixedHeaders({ isHttps }: { isHttps: boolean }): Record<string, string> {
  return {
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy':
      'accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()',
    'Content-Security-Policy': `${BASELINE}; form-action 'self'; ${CLOSED}`,
    ...(isHttps ? { 'Strict-Transport-Security': 'max-age=63072000; includeSubDomains' } : {}),
  }
}

export function securityHeaders(options: { isHttps: boolean }): Middleware {
  const fixed = Object.entries(fixedHeaders(options))
  return (ctx, next) => {
    for (const [name, value] of fixed) ctx.res.setHeader(name, value)
    return next()
  }
}

/** The CSP nonce of this response, made when a page first asks for it. */
export function nonceOf(ctx: Context): string {
  const nonce = ctx.state.nonce ?? randomBytes(16).toString('base64url')
  ctx.state.nonce = nonce
  return nonce
}

/**
 * The policy of a page, with a nonce of its own (WB-01). Its forms post to us only: a person who goes on
 * to an app leaves by a page.
 */
export function setPagePolicy(ctx: Context): void {
  ctx.set('Content-Security-Policy', `${baselineWithNonce(ctx)}; form-action 'self'; ${CLOSED}`)
}

/**
 * The policy of the page that posts an answer to an app (AZ-06). Chromium holds `form-action`
 * against every redirect that follows, and where an app sends the person next is its own affair:
 * the one form of this page has nothing in it that was typed.
 */
export function setFormPostPolicy(ctx: Context): void {
  ctx.set('Content-Security-Policy', `${baselineWithNonce(ctx)}; ${CLOSED}`)
}

function baselineWithNonce(ctx: Context): string {
  return BASELINE.replace("script-src 'self'", `script-src 'self' 'nonce-${nonceOf(ctx)}'`)
}
