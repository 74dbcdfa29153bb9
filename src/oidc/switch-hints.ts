import type { Client, KoaContextWithOIDC, Provider } from 'oidc-provider'
import { adviceOn, type RefusedRequest, type Registered } from '../clients/needed-switch.ts'
import type { Logger } from '../logger/logger.ts'
import { seldom } from '../seldom.ts'
import { settingsOf } from './clients/settings.ts'
import { refusedAuthorization, refusedTokenRequest } from './refused-request.ts'

const QUIET_MS = 3_600_000

export interface SwitchHintsDeps {
  /** Keeps them for `doctor client`. */
  readonly refused: { note(clientId: string, refused: RefusedRequest): void }
  readonly logger: Logger
}

/** Tells the operator for which switch apps are refused: in the log once an hour for each. */
export class SwitchHints {
  readonly #deps: SwitchHintsDeps
  readonly #isNew = seldom(QUIET_MS)

  constructor(deps: SwitchHintsDeps) {
    this.#deps = deps
  }

  listenTo(provider: Provider): void {
    const on = provider.on.bind(provider) as (
      event: string,
      listener: (ctx: KoaContextWithOIDC, error: Error) => void,
    ) => unknown
    on('authorization.error', (ctx, error) => this.#hear(ctx, refusedAuthorization(ctx, error)))
    on('grant.error', (ctx, error) => this.#hear(ctx, refusedTokenRequest(ctx, error)))
  }

  /** Of scopes that were left out, too. */
  tell(client: Client, refused: RefusedRequest, requestId?: unknown): void {
    this.#deps.refused.note(client.clientId, refused)
    // Anybody can send an app's name with another address: the log would be theirs to write.
    if (refused.lack === 'redirect_uri') return
    if (!this.#isNew(`${client.clientId} ${refused.lack}`)) return
    const { option, says } = adviceOn(refused, registeredOf(client))
    this.#deps.logger.warn(
      {
        event: 'client.hint',
        clientId: client.clientId,
        name: client.clientName,
        reason: says,
        ...(option ? { command: `client update ${client.clientId} ${option}` } : {}),
        requestId,
      },
      'an app is refused what a switch of its registration is about',
    )
  }

  #hear({ oidc, state }: KoaContextWithOIDC, refused: RefusedRequest | undefined): void {
    if (refused && oidc.client) this.tell(oidc.client, refused, state['requestId'])
  }
}

function registeredOf(client: Client): Registered {
  const { allowed_scopes: scopes = client.scope?.split(' ') ?? [], pkce = 'required' } =
    settingsOf(client)
  return {
    authMethod: client.tokenEndpointAuthMethod ?? '',
    responseModes: client.responseModes ?? [],
    grantTypes: client.grantTypes ?? [],
    scopes,
    pkce,
  }
}
