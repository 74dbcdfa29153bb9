import { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider'
import { isOidcScope } from '../clients/scopes.ts'
import type { ApiServer, ResourceServers } from './clients/resource-servers.ts'
import { param } from './param.ts'
import { forApiAndUserinfo } from './scopes-of-person.ts'
import { defaultsAt, onlyApi } from './token-policy.ts'

/** For which API a token is (RFC 8707), in the words of the engine's setting. */
export function resourceIndicators(resources: ResourceServers) {
  const ofScopes = async ({ oidc }: KoaContextWithOIDC, client: Client) => {
    const only = onlyApi(client)
    if (only !== undefined) return only
    const brought = await resources.broughtBy(param(oidc.params, 'scope').split(' '), client)
    return brought.length === 1 ? brought[0] : undefined
  }
  return {
    defaultResource: async (ctx: KoaContextWithOIDC, client: Client, oneOf?: readonly string[]) =>
      oneOf?.[0] ?? (isService(ctx) ? await ofScopes(ctx, client) : undefined) ?? [],
    useGrantedResource: (ctx: KoaContextWithOIDC) => !isForUserinfo(ctx),
    getResourceServerInfo: async (ctx: KoaContextWithOIDC, indicator: string, client: Client) => {
      const server = await resources.info(indicator, client)
      if (isService(ctx)) return ofService(ctx, client, server)
      const { grant, route } = ctx.oidc
      return route === 'token' && grant ? forApiAndUserinfo(grant, indicator, server) : server
    },
  }
}

/**
 * A service asks for one API at a time: a scope that is not the API's is an error, not a thing to
 * leave out (RFC 6749 5.2). One that names none gets its defaults.
 */
function ofService(
  { oidc: { params = {} } }: KoaContextWithOIDC,
  client: Client,
  server: ApiServer,
): ApiServer {
  const offered = server.scope.split(' ')
  const scopes = param(params, 'scope').split(' ').filter(Boolean)
  const unknown = scopes.find((name) => !offered.includes(name))
  if (unknown !== undefined)
    throw new errors.InvalidScope(
      'the API does not have this scope, or the client may not use it',
      unknown,
    )
  if (scopes.length === 0) params['scope'] = defaultsAt(client, offered).join(' ') || undefined
  return server
}

function isService({ oidc }: KoaContextWithOIDC): boolean {
  return param(oidc.params, 'grant_type') === 'client_credentials'
}

/**
 * A token is for the API that was granted, unless a refresh names scopes of the person only: then
 * it is for userinfo.
 */
function isForUserinfo({ oidc }: KoaContextWithOIDC): boolean {
  const names = param(oidc.params, 'scope').split(' ')
  return names.includes('openid') && names.every((name) => isOidcScope(name))
}
