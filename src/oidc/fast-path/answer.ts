import type {
  AccessToken,
  Account,
  AuthorizationCode,
  Client,
  Grant,
  Provider,
  RefreshToken,
} from 'oidc-provider'
import type { ApiServer } from '../clients/resource-servers.ts'
import { forApiAndUserinfo } from '../scopes-of-person.ts'
import { comingOf } from '../tokens/authentication.ts'
import { switched } from '../tokens/id-token-switches.ts'

export type Body = Readonly<Record<string, unknown>>
export type Source = AuthorizationCode | RefreshToken

/** Everything that must hold before the source is spent, and what the tokens will say. */
export interface Standing {
  readonly client: Client
  readonly account: Account
  readonly grant: Grant
  readonly api: { readonly identifier: string; readonly server: ApiServer } | undefined
}

export interface Answered {
  readonly body: Body
  readonly accessToken: AccessToken
}

/** The token that the code or refresh token gives. */
export function accessTokenOf(
  provider: Provider,
  source: Source,
  { client, account, grant, api }: Standing,
  gty: string,
): AccessToken {
  const { AccessToken, ResourceServer } = provider
  const { expiresWithSession, sessionUid, sid, grantId = '' } = source
  const token = new AccessToken({
    accountId: account.accountId,
    client,
    expiresWithSession,
    grantId,
    gty,
    sessionUid,
    sid,
  })
  if (api) {
    const { identifier } = api
    const server = new ResourceServer(identifier, forApiAndUserinfo(grant, identifier, api.server))
    token.resourceServer = server
    token.scope = grant.getResourceScopeFiltered(
      identifier,
      new Set([...source.scopes].filter((name) => server.scopes.has(name))),
    )
  } else {
    token.scope = grant.getOIDCScopeFiltered(source.scopes)
  }
  return comingOf(token, source)
}

/** `refreshToken`: a new one, or the one that stays. */
export async function answerOf(
  provider: Provider,
  source: Source,
  standing: Standing,
  accessToken: AccessToken,
  refreshToken: RefreshToken | string | undefined,
): Promise<Answered> {
  const value = await accessToken.save()
  const renewed = typeof refreshToken === 'string' ? refreshToken : await refreshToken?.save()
  const body = {
    access_token: value,
    expires_in: accessToken.expiration,
    id_token: source.scopes.has('openid')
      ? await idToken(provider, source, standing, accessToken)
      : undefined,
    refresh_token: renewed,
    scope: source.scope ? accessToken.scope : accessToken.scope || undefined,
    token_type: 'Bearer',
  }
  return { body, accessToken }
}

async function idToken(
  provider: Provider,
  source: Source,
  { client, account, grant }: Standing,
  accessToken: AccessToken,
): Promise<string> {
  const rejected = grant.getRejectedOIDCClaims()
  const claims = await account.claims('id_token', source.scope ?? '', {}, rejected)
  const { acr, amr, authTime: auth_time } = source
  const token = new provider.IdToken(
    { ...claims, sub: account.accountId, acr, amr, auth_time },
    { client },
  )
  // What userinfo tells is told there (OIDC Core 5.4), unless the access token is for another API.
  const scope = accessToken.aud ? grant.getOIDCScopeFiltered(source.scopes) : 'openid'
  Object.assign(token, { scope, mask: {}, rejected })
  token.set('nonce', source.nonce)
  token.set('sid', source.sid)
  switched(token, accessToken)
  return token.issue({ use: 'idtoken' })
}

/** What a refresh token has of the code or the token before it. */
export function inherited({
  accountId = '',
  acr,
  amr,
  authTime,
  expiresWithSession,
  grantId = '',
  nonce,
  resource,
  scope = '',
  sessionUid,
  sid,
}: Source) {
  return {
    accountId,
    acr,
    amr,
    authTime,
    expiresWithSession,
    grantId,
    nonce,
    resource,
    scope,
    sessionUid,
    sid,
  }
}
