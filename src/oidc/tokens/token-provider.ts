import { Provider, type TokenEndpointGrantContext } from 'oidc-provider'
import { ENDPOINTS } from '../endpoints.ts'
import { askedFor, exchanging } from '../trips/request-unit.ts'

/** Grants that spend what they are given. */
const SPENDING = new Set(['authorization_code', 'refresh_token'])

type Handler<Params extends object> = (
  ctx: TokenEndpointGrantContext<Params>,
) => void | Promise<void>
type Names = string | readonly string[] | ReadonlySet<string>

/**
 * The provider, whose grants spend a code or refresh token once all of the answer is there, and
 * store with it what comes of it.
 */
export class TokenProvider extends Provider {
  /** The provider registers its own grants by this as well. */
  override registerGrantType<Params extends object>(
    name: string,
    handler: Handler<Params>,
    parameters?: Names,
    duplicates?: Names,
  ): void {
    super.registerGrantType(
      name,
      SPENDING.has(name) ? spendingLast(handler) : handler,
      parameters,
      duplicates,
    )
  }
}

/** What has to be done before anything is spent, and what was found. */
export interface TokenRequestState {
  beforeSpending?: () => Promise<void>
  isRepeat?: boolean
}

function spendingLast<Params extends object>(handler: Handler<Params>): Handler<Params> {
  return async (ctx) => {
    const { scope, resource } = ctx.oidc.params as Readonly<Record<string, unknown>>
    const state = ctx.state as TokenRequestState
    const answered = await exchanging(
      { ...ENDPOINTS.token.readsAhead, asked: askedFor(scope, resource) },
      async () => {
        await handler(ctx)
        await state.beforeSpending?.()
        return { body: ctx.body as object }
      },
    )
    state.isRepeat = answered?.isRepeat ?? false
  }
}
