import type { Context, Middleware } from 'koa'
import { isBuiltIn } from '../../oidc/clients/built-in-clients.ts'
import type { FormModel } from '../../views/views.ts'
import { seeOther } from '../see-other.ts'
import { type InteractionDeps, type Step, stepOf } from './interaction.ts'

/** The way back to the app without an answer; our own pages are no app to go back to. */
export function leaveForm(
  ctx: Context,
  { csrf }: Pick<InteractionDeps, 'csrf'>,
  { app, url }: Step,
): FormModel | undefined {
  if (isBuiltIn(app.client.clientId)) return undefined
  return { action: url('leave'), csrf: csrf.token(ctx) }
}

/** Ends the request at the app, by the way that all its errors go. */
export function leave({ interactions }: InteractionDeps): Middleware {
  return async (ctx) => {
    const { interaction, state } = stepOf(ctx)
    seeOther(ctx, await interactions.leave(interaction, state))
  }
}
