import type { Client, Grant, KoaContextWithOIDC } from 'oidc-provider'
import { redirectKind } from '../clients/redirect-kind.ts'
import { askForOffline, isOfflineWaiting } from './authorization/offline-access.ts'
import { askedClaims, claimsOf } from './claims/request.ts'
import { isBuiltIn } from './clients/built-in-clients.ts'
import { settingsOf } from './clients/settings.ts'
import { param } from './param.ts'

/** What an account allowed an app before, whatever the session: kept by the consent store. */
export interface RememberedConsent {
  readonly scopes: readonly string[]
  readonly resourceScopes: Readonly<Record<string, readonly string[]>>
  /** Claims that were asked for one by one (OIDC Core 5.5). */
  readonly claims: readonly string[]
}
export const NOTHING: RememberedConsent = { scopes: [], resourceScopes: {}, claims: [] }
export interface ConsentStore {
  find(accountId: string, clientId: string): Promise<RememberedConsent | undefined>
  /** To what is allowed already. */
  add(accountId: string, clientId: string, allowed: RememberedConsent): Promise<void>
  denied(accountId: string, clientId: string): void
}

/** Why a page asks for all of it, also for what the operator's own app was given without asking. */
export const UNREMEMBERED = 'unremembered'

/** Everything the current request asks for, by kind. */
export function requestedAccess({ oidc }: KoaContextWithOIDC): RememberedConsent {
  const requested = [...oidc.requestParamScopes]
  const resourceScopes: Record<string, string[]> = {}
  for (const [indicator, server] of Object.entries(oidc.resourceServers ?? {}))
    resourceScopes[indicator] = requested.filter((scope) => server.scopes.has(scope))
  return { scopes: [...oidc.requestParamOIDCScopes], resourceScopes, claims: askedClaims(oidc) }
}

/** Adds to a grant; what it has already stays. */
export function addAccess(
  grant: Grant,
  { scopes, resourceScopes, claims }: RememberedConsent,
): void {
  if (claims.length > 0) grant.addOIDCClaims([...claims])
  if (scopes.length > 0) grant.addOIDCScope(scopes.join(' '))
  for (const [indicator, names] of Object.entries(resourceScopes))
    if (names.length > 0) grant.addResourceScope(indicator, names.join(' '))
}

/**
 * AZ-14: consent is skipped for the operator's own apps where nobody else can answer. Elsewhere the
 * person allows one that authenticates once.
 */
export function skipsConsent(client: Client, redirectUri: string): boolean {
  return settingsOf(client).first_party === true && isOfOneApp(client, redirectUri)
}

/** Whether the code gets to nobody but the app, whatever its type: by its address or its secret. */
export function isProven(client: Client, redirectUri: string): boolean {
  return client.tokenEndpointAuthMethod !== 'none' || isOfOneApp(client, redirectUri)
}

/**
 * A port of loopback, a host of a private network and a scheme of an app's own may be anybody's
 * (RFC 8252 8.6).
 */
function isOfOneApp({ clientId }: Client, redirectUri: string): boolean {
  return redirectKind(redirectUri) === 'https' || isBuiltIn(clientId)
}

/**
 * Finds the grant to authorize with: the one just consented to, the session's, or a new one made
 * from what the account allowed this app before or from what a first-party app asks for. The
 * consent prompt then asks for the rest.
 */
export function createGrantLoader(
  consents: ConsentStore,
): (ctx: KoaContextWithOIDC) => Promise<Grant | undefined> {
  return async (ctx) => {
    const { oidc } = ctx
    const { client, account, session, provider } = oidc
    if (!client || !account || !session) return undefined
    const result = (oidc as { result?: { consent?: { grantId?: string } } }).result
    const grantId = result?.consent?.grantId ?? session.grantIdFor(client.clientId)
    const existing = grantId ? await provider.Grant.find(grantId) : undefined
    const isOurs =
      existing?.accountId === account.accountId && existing?.clientId === client.clientId
    const grant =
      isOurs && existing
        ? existing
        : new provider.Grant({ accountId: account.accountId, clientId: client.clientId })
    if (result?.consent?.grantId && isOurs) return grant

    const asked = requestedAccess(ctx)
    const isTrusted = skipsConsent(client, param(oidc.params, 'redirect_uri'))
    const needed = isOfflineWaiting(ctx) ? withOffline(asked) : asked
    const allowed = isTrusted
      ? asked
      : isOurs && covers(grant, needed)
        ? undefined
        : await consents.find(account.accountId, client.clientId)
    if (!allowed && !isOurs) return undefined
    const given = withClaims(grant, allowed ?? NOTHING, asked.claims)
    if (!isOurs || !covers(grant, given)) {
      addAccess(grant, given)
      await grant.save()
    }
    if (covers(grant, withOffline(asked))) askForOffline(ctx)
    return grant
  }
}

function withOffline(access: RememberedConsent): RememberedConsent {
  return { ...access, scopes: [...access.scopes, 'offline_access'] }
}

/**
 * What is allowed with a scope may also be asked for by its name. A claim of a scope that was
 * refused is not given by itself.
 */
function withClaims(
  grant: Grant,
  allowed: RememberedConsent,
  asked: readonly string[],
): RememberedConsent {
  if (asked.length === 0) return allowed
  const scopes = [...allowed.scopes, ...grant.getOIDCScope().split(' ')]
  const refused = claimsOf(grant.getRejectedOIDCScope().split(' '), asked)
  const claims = [...new Set([...allowed.claims, ...claimsOf(scopes, asked)])]
  return { ...allowed, claims: claims.filter((name) => !refused.includes(name)) }
}

/** Whether the person, and not the operator alone, has allowed all that is asked for. */
export async function isRemembered(
  ctx: KoaContextWithOIDC,
  consents: ConsentStore,
): Promise<boolean> {
  const { client, account, provider } = ctx.oidc
  if (!client || !account) return false
  const owner = { accountId: account.accountId, clientId: client.clientId }
  const allowed = await consents.find(owner.accountId, owner.clientId)
  if (!allowed) return false
  const grant = new provider.Grant(owner)
  const asked = requestedAccess(ctx)
  addAccess(grant, withClaims(grant, allowed, asked.claims))
  return covers(grant, asked)
}

function covers(grant: Grant, { scopes, resourceScopes, claims }: RememberedConsent): boolean {
  const known = claims.length > 0 ? grant.getOIDCClaimsEncountered() : []
  const has = (granted: string, names: readonly string[]): boolean =>
    names.every((name) => granted.split(' ').includes(name))
  return (
    claims.every((name) => known.includes(name)) &&
    has(grant.getOIDCScope(), scopes) &&
    Object.entries(resourceScopes).every(([indicator, names]) =>
      has(grant.getResourceScope(indicator), names),
    )
  )
}
