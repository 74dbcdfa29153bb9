import type { Grant } from 'oidc-provider'
import { isOidcScope, OIDC_SCOPES } from '../clients/scopes.ts'
import type { ApiServer } from './clients/resource-servers.ts'

/** Whether a token with that scope tells something of a person at userinfo. */
export const tellsOfPerson = (scope: string): boolean =>
  isOidcScope(scope) && scope !== 'offline_access'

/**
 * A token for an API whose operator has opened userinfo to it is for both: for as long as one is
 * being issued, what was granted of the person counts as granted for the API too. What people are
 * asked for stays the same.
 */
export function forApiAndUserinfo(grant: Grant, identifier: string, server: ApiServer): ApiServer {
  if (!server.opensUserinfo) return server
  const granted = [grant.getResourceScope(identifier), grant.getOIDCScopeFiltered(OF_PERSON)]
  grant.resources = { ...grant.resources, [identifier]: granted.join(' ').trim() }
  return { ...server, scope: [server.scope, ...OF_PERSON].join(' ') }
}

const OF_PERSON = new Set<string>(OIDC_SCOPES.filter(tellsOfPerson))
