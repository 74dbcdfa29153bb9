import { randomBytes } from 'node:crypto'
import type { Context, Middleware } from 'koa'

/** What a response may do before anybody knows whether it is a page: nothing but our own files. */
const BASELINE = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
const CLOSED = "base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

/** The same on every response, page or not (WB-02, AZ-11). */
export function fixedHeaders({ isHttps }: { isHttps: boolean }): Record<string, string> {
  return {
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()',
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
  const nonce = (ctx.state['nonce'] as string | undefined) ?? randomBytes(16).toString('base64url')
  ctx.state['nonce'] = nonce
  return nonce
}

/**
 * The policy of a page, with a nonce of its own (WB-01). `formTargets` are the origins that a form's answer may redirect to:
 * without the client's own, the browser stops after the login POST (CSP `form-action` covers redirects).
 */
export function setPagePolicy(ctx: Context, formTargets: readonly string[] = []): void {
  const policy = BASELINE.replace("script-src 'self'", `script-src 'self' 'nonce-${nonceOf(ctx)}'`)
  ctx.set('Content-Security-Policy', `${policy}; form-action 'self'${formTargets.map((target) => ` ${target}`).join('')}; ${CLOSED}`)
}

/** The policy of a page whose one form posts to exactly this address (AZ-06). A query or a character that CSP uses itself is left out. */
export function setFormPostPolicy(ctx: Context, action: string): void {
  const target = /^https?:[^;,?#\s]+/.exec(action)?.[0] ?? cspSource(action) ?? "'none'"
  const policy = BASELINE.replace("script-src 'self'", `script-src 'self' 'nonce-${nonceOf(ctx)}'`)
  ctx.set('Content-Security-Policy', `${policy}; form-action ${target}; ${CLOSED}`)
}

/** A redirect URI as a CSP source: its origin, or the bare scheme of a native app. */
export function cspSource(redirectUri: string): string | undefined {
  const url = URL.parse(redirectUri)
  if (!url) return undefined
  return url.origin === 'null' ? url.protocol : url.origin
}
