import type { Context } from 'koa'
import type { Provider } from 'oidc-provider'
import { isUnavailable } from '../database/database.ts'
import { RETRY_AFTER_SECONDS, StoreUnavailable } from './adapters/unavailable.ts'

/**
 * The provider answers 503 and when to come again while storage is away, never a success that did
 * not happen (TK-10). Clients, accounts and consents are read without the adapters: their faults
 * have no status that the library knows.
 */
export function answerOutages(provider: Provider): void {
  provider.on('server_error', (ctx, error) => {
    if (!(error instanceof StoreUnavailable || isUnavailable(error))) return
    ctx.status = 503
    ctx.set('Retry-After', String(RETRY_AFTER_SECONDS))
  })
}

/** As the provider answers when something fails in the middle of a request. */
export function refuse(
  provider: Provider,
  ctx: Pick<Context, 'status' | 'body' | 'set'>,
  error: unknown,
): void {
  ctx.status = 500
  ctx.body = { error: 'server_error', error_description: 'oops! something went wrong' }
  provider.emit('server_error', ctx, error)
}
