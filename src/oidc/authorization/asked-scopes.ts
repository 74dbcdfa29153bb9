import type { Client } from 'oidc-provider'
import { isOidcScope } from '../../clients/scopes.ts'
import { settingsOf } from '../clients/settings.ts'

/** RFC 6749 3.3. */
const SCOPES = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/

/** What is asked for, each once; of nothing the client's defaults. Undefined: it is no scope. */
export function askedScopes(client: Client, scope: string): readonly string[] | undefined {
  const { default_scopes: defaults = ['openid'] } = settingsOf(client)
  if (scope === '') return defaults
  return SCOPES.test(scope) ? [...new Set(scope.split(' '))] : undefined
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
