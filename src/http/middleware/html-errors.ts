import type { Context } from 'koa'
import type { AppError } from '../../errors.ts'
import type { Renderer } from '../renderer.ts'
import { wayOn } from '../way-on.ts'
import { presentJson } from './json-errors.ts'

/** Where nobody comes with a browser: who does not say what they accept gets JSON. */
const FOR_PROGRAMS = /^\/(token|userinfo|jwks|\.well-known)(\/|$)/

/** A refusal as a page for people and as JSON for programs. */
export function presentHtml(renderer: Renderer) {
  return (ctx: Context, error: AppError): void => {
    if (ctx.accepts(FOR_PROGRAMS.test(ctx.path) ? ['json', 'html'] : ['html', 'json']) === 'json') {
      presentJson(ctx, error)
      return
    }
    const { retryAfterSeconds } = error.details
    renderer.page(ctx, 'pages/error', {
      code: error.code,
      requestId: String(ctx.state['requestId']),
      wayOn: wayOn(error.code, ctx.path),
      ...(retryAfterSeconds ? { retryAfterSeconds } : {}),
    })
  }
}
