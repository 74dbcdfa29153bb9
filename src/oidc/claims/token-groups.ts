import type { Client, KoaContextWithOIDC } from 'oidc-provider'
import type { ResourceServers } from '../clients/resource-servers.ts'
import { param } from '../param.ts'
import { type GroupClaim, type GroupClaims, mayAskForGroups } from './group-claims.ts'

interface Token {
  readonly accountId?: string | undefined
  readonly scope?: string | undefined
  readonly aud?: unknown
}

interface Introspected extends Token {
  readonly kind: string
  extra?: object | undefined
}

/** What introspection says of a stored token: as of now, not of when it was issued. */
export async function introspectedGroups(
  claims: GroupClaims,
  client: Client,
  { kind, accountId, scope = '' }: Introspected,
): Promise<{ groups?: readonly string[] }> {
  if (kind !== 'AccessToken' || !accountId) return {}
  if (!scope.split(' ').includes('groups') || !mayAskForGroups(client)) return {}
  return { groups: await claims.visible(client, accountId) }
}

/** The same of a JWT that names some, as the app that it was issued to may see them. */
export async function groupsNow(
  claims: GroupClaims,
  client: Client,
  { accountId, extra }: Pick<Introspected, 'accountId' | 'extra'>,
): Promise<{ groups?: readonly string[] }> {
  if (!accountId || !extra || !('groups' in extra) || !mayAskForGroups(client)) return {}
  return { groups: await claims.visible(client, accountId) }
}

/**
 * Of a JWT for an API that is registered for it (`--include-groups`), where the person allowed the
 * app to see them. A request without a context is the fast path's, which takes none of these.
 */
export async function groupsInJwt(
  { claims, resources }: { readonly claims: GroupClaims; readonly resources: ResourceServers },
  ctx: KoaContextWithOIDC | undefined,
  { accountId, aud }: Token,
): Promise<GroupClaim | undefined> {
  const { client, entities } = ctx?.oidc ?? {}
  const grant = entities?.Grant
  if (!ctx || !client || !grant || !accountId || typeof aud !== 'string') return undefined
  if (!mayAskForGroups(client) || !(await resources.includesGroups(aud))) return undefined
  const source = entities.RefreshToken ?? entities.AuthorizationCode
  const asked = new Set(param(ctx.oidc.params, 'scope').split(' ').filter(Boolean))
  const scopes = asked.size > 0 ? asked : source?.scopes
  if (!scopes || !grant.getOIDCScopeFiltered(scopes).split(' ').includes('groups')) return undefined
  return claims.inToken(client, accountId)
}
