import type { Context } from 'koa'
import type { SignInPolicy } from '../../accounts/factors/sign-in-policy.ts'
import type { AppError } from '../../errors.ts'
import { isForProgram } from '../../oidc/endpoints.ts'
import type { Renderer } from '../renderer.ts'
import { wayOn } from '../way-on.ts'
import { presentJson } from './json-errors.ts'

/**
 * A refusal as a page for people and as JSON for programs, which may have a browser's `Accept`
 * (Java's has).
 */
export function presentHtml(renderer: Renderer, policy: SignInPolicy) {
  return (ctx: Context, error: AppError): void => {
    if (isForProgram(ctx) || ctx.accepts(['html', 'json']) === 'json') {
      presentJson(ctx, error)
      return
    }
    const { retryAfterSeconds } = error.details
    const back = error.code === 'interaction_expired' ? ctx.state.wayBack : undefined
    const model = {
      code: error.code,
      requestId: ctx.state.requestId,
      wayOn: wayOn(error.code, ctx.path, { back, policy }),
    }
    renderer.page(
      ctx,
      'pages/error',
      { ...model, ...(retryAfterSeconds ? { retryAfterSeconds } : {}) },
      back,
    )
  }
}
