import type { Client } from 'oidc-provider'
import { isOidcScope, scopesIn } from '../../clients/scopes.ts'
import { settingsOf } from '../clients/settings.ts'

/** What is asked for, each once; of nothing the client's defaults. Undefined: it is no scope. */
export function askedScopes(client: Client, scope: string): readonly string[] | undefined {
  const { default_scopes: defaults = ['openid'] } = settingsOf(client)
  if (scope === '') return defaults
  return scopesIn(scope)
}

/** What of it the client may have; `ofApis`: what the APIs that it is for offer to this client. */
export function grantable(
  client: Client,
  asked: readonly string[],
  ofApis: ReadonlySet<string>,
): readonly string[] {
  const { allowed_scopes: allowed = client.scope?.split(' ') } = settingsOf(client)
  return asked.filter((scope) => {
    if (!isOidcScope(scope)) return ofApis.has(scope)
    if (scope === 'offline_access' && !client.grantTypeAllowed('refresh_token')) return false
    return allowed?.includes(scope) ?? true
  })
}
