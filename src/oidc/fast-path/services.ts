import type { Client, Provider } from 'oidc-provider'
import { isOidcScope, scopesIn } from '../../clients/scopes.ts'
import { defaultsAt } from '../token-policy.ts'
import { recordIssued } from '../tokens/token-events.ts'
import type { Body } from './answer.ts'
import type { FastGrantsDeps } from './grants.ts'

interface ServiceRequest {
  readonly client: Client
  readonly scope: string
  readonly resource: string | undefined
}

/** RFC 6749 4.4, for one API. */
export async function issueToService(
  provider: Provider,
  { resources, audit }: Pick<FastGrantsDeps, 'resources' | 'audit'>,
  { client, scope, resource }: ServiceRequest,
): Promise<Body | undefined> {
  if (!client.grantTypeAllowed('client_credentials')) return undefined
  const href = URL.parse(resource ?? '')?.href
  if (!resource || !href || href.includes('#')) return undefined
  const resourceServer = await resources.info(resource, client)
  const offered = resourceServer.scope.split(' ')
  const scopes = scope === '' ? defaultsAt(client, offered) : scopesIn(scope)
  if (!scopes || scopes.some((name) => !offered.includes(name) || isOidcScope(name)))
    return undefined
  const { ClientCredentials, ResourceServer } = provider
  const token = new ClientCredentials({ client, scope: scopes.join(' ') })
  token.resourceServer = new ResourceServer(resource, resourceServer)
  const value = await token.save()
  const { tokenType, expiration } = token as typeof token & { tokenType: string }
  recordIssued(audit, {
    grant: 'client_credentials',
    clientId: client.clientId,
    token,
  })
  return {
    access_token: value,
    expires_in: expiration,
    ...(token.scope ? { scope: token.scope } : {}),
    token_type: tokenType,
  }
}
