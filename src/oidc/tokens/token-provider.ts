import { type Configuration, Provider, type TokenEndpointGrantContext } from 'oidc-provider'
import { namedApis } from '../authorization/named-apis.ts'
import { ENDPOINTS } from '../endpoints.ts'
import { assertTied } from '../pkce.ts'
import { askedFor, exchanging } from '../trips/request-unit.ts'

/** Grants that spend what they are given. */
const SPENDING = new Set(['authorization_code', 'refresh_token'])

type Handler<Params extends object> = (
  ctx: TokenEndpointGrantContext<Params>,
) => void | Promise<void>
type Apis = Parameters<typeof namedApis>[0]
type Names = string | readonly string[] | ReadonlySet<string>

/**
 * The provider, whose grants spend a code or refresh token once all of the answer is there, and
 * store with it what comes of it.
 */
export class TokenProvider extends Provider {
  readonly #apis: Apis

  constructor(issuer: string, configuration: Configuration, apis: Apis) {
    super(issuer, configuration)
    this.#apis = apis
  }

  /** The provider registers its own grants by this as well. */
  override registerGrantType<Params extends object>(
    name: string,
    handler: Handler<Params>,
    parameters?: Names,
    duplicates?: Names,
  ): void {
    super.registerGrantType(
      name,
      namingApis(SPENDING.has(name) ? spendingLast(handler) : handler, () => this.#apis),
      [...listOf(parameters), 'audience'],
      duplicates,
    )
  }
}

function listOf(names: Names = []): readonly string[] {
  return typeof names === 'string' ? [names] : [...names]
}

/** `audience` at the token endpoint: the same as `resource`, or refused. */
function namingApis<Params extends object>(
  handler: Handler<Params>,
  apis: () => Apis,
): Handler<Params> {
  return async (ctx) => {
    const params = ctx.oidc.params as Record<string, string | string[] | undefined>
    const { resource, audience } = params
    const [named] = await namedApis(apis(), { resource, audience })
    params['resource'] = resource ?? named
    await handler(ctx)
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
        const { client, entities } = ctx.oidc
        const { AuthorizationCode: code } = entities
        if (client && code) assertTied(client, code)
        await state.beforeSpending?.()
        return { body: ctx.body as object }
      },
    )
    state.isRepeat = answered?.isRepeat ?? false
  }
}
