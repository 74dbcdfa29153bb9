import type { Client, KoaContextWithOIDC, Provider } from 'oidc-provider'
import { adviceOn, type Lack, type Registered } from '../clients/needed-switch.ts'
import type { Logger } from '../logger/logger.ts'
import { seldom } from '../seldom.ts'
import { param } from './param.ts'
import { hasNonce } from './pkce.ts'

/** What the engine says of a request that a switch may let through. */
const LACKS: Readonly<Record<string, Lack>> = {
  'Authorization Server policy requires PKCE to be used for this request': 'code_challenge',
  'requested response_mode is not allowed for this client or request': 'response_mode',
}
const QUIET_MS = 3_600_000

/** Names the switch that an app needs to the operator, once an hour for each app and reason. */
export function hintAtSwitches(provider: Provider, logger: Logger): void {
  const isNew = seldom(QUIET_MS)
  provider.on('authorization.error', (ctx: KoaContextWithOIDC, error) => {
    const { client, params } = ctx.oidc
    const lack = LACKS[error.error_description ?? '']
    const redirectUri = param(params, 'redirect_uri')
    if (!lack || !client?.redirectUriAllowed(redirectUri)) return
    if (!isNew(`${client.clientId} ${lack}`)) return
    const responseMode = param(params, 'response_mode')
    const refused = { lack, redirectUri, responseMode, hasNonce: hasNonce(client, params) }
    const { option, says } = adviceOn(refused, registeredOf(client))
    logger.warn(
      {
        event: 'client.hint',
        clientId: client.clientId,
        name: client.clientName,
        reason: says,
        ...(option ? { command: `client update ${client.clientId} ${option}` } : {}),
        requestId: ctx.state['requestId'],
      },
      'an app is refused what a switch of its registration is about',
    )
  })
}

function registeredOf(client: Client): Registered {
  return {
    authMethod: client.tokenEndpointAuthMethod ?? '',
    responseModes: client.responseModes ?? [],
  }
}
