import { hash } from 'node:crypto'
import type {
  AccessToken,
  Account,
  AuthorizationCode,
  Client,
  Grant,
  Provider,
  RefreshToken,
  ResourceServer,
} from 'oidc-provider'
import type { AuditSink } from '../../audit/event.ts'
import { equal } from '../../crypto/token.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import { issuesRefreshToken, rotatesRefreshTokens } from '../configuration.ts'
import { ENDPOINTS } from '../endpoints.ts'
import type { FindAccount } from '../find-account.ts'
import { sessionOf } from '../standing.ts'
import { recordIssued } from '../tokens/token-events.ts'
import { askedFor, exchanging } from '../trips/request-unit.ts'

export interface PlainGrantsDeps {
  /** What the provider asks as well, read ahead. */
  readonly findAccount: FindAccount
  readonly resources: ResourceServers
  readonly audit: AuditSink
}

type Body = Readonly<Record<string, unknown>>
type Source = AuthorizationCode | RefreshToken

/** Everything that must hold before the source is spent, and what the tokens will say. */
interface Standing {
  readonly client: Client
  readonly account: Account
  readonly grant: Grant
  readonly api: { readonly identifier: string; readonly server: ResourceServer } | undefined
}

/** RFC 7636 4.1. */
const VERIFIER = /^[\w.~-]{43,128}$/
const REFRESH = 'refresh_token'

/**
 * Codes and refresh tokens of confidential apps, spent and renewed as the provider's grants do with
 * our configuration, by its own models. Nothing is spent before the answer is made; a request that comes
 * second, too late or with something odd is left to the provider.
 */
export class PlainGrants {
  readonly #provider: Provider
  readonly #deps: PlainGrantsDeps

  constructor(provider: Provider, deps: PlainGrantsDeps) {
    this.#provider = provider
    this.#deps = deps
  }

  /** RFC 6749 4.1.3. Throws the provider's `InvalidGrant` if another request was faster. */
  async code(
    client: Client,
    { code: value, redirectUri, verifier }: Readonly<Record<string, string>>,
  ): Promise<Body | undefined> {
    if (
      !value ||
      !verifier ||
      !VERIFIER.test(verifier) ||
      !client.grantTypeAllowed('authorization_code')
    )
      return undefined
    const { AuthorizationCode, RefreshToken } = this.#provider
    return this.#recorded('authorization_code', client, async () => {
      const code = await AuthorizationCode.find(value, { ignoreExpiration: true })
      if (!code || code.dpopJkt !== undefined || code.redirectUri !== redirectUri) return undefined
      if (code.codeChallengeMethod !== 'S256' || !isChallenge(code.codeChallenge, verifier))
        return undefined
      const standing = await this.#standing(code, client)
      if (!standing) return undefined
      await code.consume()
      const accessToken = this.#accessToken(code, standing, 'authorization_code')
      const refreshToken = issuesRefreshToken(client, code)
        ? new RefreshToken({ ...inherited(code), client, gty: 'authorization_code', rotations: 0 })
        : undefined
      return this.#answer(code, standing, accessToken, refreshToken)
    })
  }

  /**
   * RFC 6749 6, with rotation (RFC 9700 4.14.2). Throws the provider's `InvalidGrant` if another
   * request was faster.
   */
  async refresh(client: Client, value: string): Promise<Body | undefined> {
    if (!client.grantTypeAllowed(REFRESH)) return undefined
    const { RefreshToken } = this.#provider
    return this.#recorded(REFRESH, client, async () => {
      const used = await RefreshToken.find(value, { ignoreExpiration: true })
      const standing = used && (await this.#standing(used, client))
      if (!standing) return undefined
      const gty =
        used.gty && !used.gty.endsWith(REFRESH) ? `${used.gty} ${REFRESH}` : (used.gty as string)
      if (!rotatesRefreshTokens(client))
        return this.#answer(used, standing, this.#accessToken(used, standing, gty), used.jti)
      await used.consume()
      const rotations = typeof used.rotations === 'number' ? used.rotations + 1 : 1
      const refreshToken = new RefreshToken({
        ...inherited(used),
        client,
        gty,
        rotations,
        iiat: used.iiat,
      })
      return this.#answer(
        refreshToken,
        standing,
        this.#accessToken(refreshToken, standing, gty),
        refreshToken,
      )
    })
  }

  async #standing(source: Source, client: Client): Promise<Standing | undefined> {
    const { grantId, accountId, resource, claims, rar, consumed, jkt, attestationJkt } =
      source as Source & Readonly<Record<string, unknown>>
    if (
      source.clientId !== client.clientId ||
      source.isExpired ||
      consumed ||
      !accountId ||
      !grantId ||
      !source.scope
    )
      return undefined
    if (
      [claims, rar, jkt, source['x5t#S256'], attestationJkt].some((odd) => odd !== undefined) ||
      Array.isArray(resource)
    )
      return undefined
    if (client['tlsClientCertificateBoundAccessTokens'] || client['dpopBoundAccessTokens'])
      return undefined
    const grant = await grantOf(this.#provider, source)
    const account = grant && (await this.#deps.findAccount(accountId, sessionOf(source)))
    if (!account) return undefined
    const api = resource
      ? { identifier: resource, server: await this.#deps.resources.info(resource, client) }
      : undefined
    return { client, account, grant, api }
  }

  #accessToken(
    source: Source,
    { client, account, grant, api }: Standing,
    gty: string,
  ): AccessToken {
    const { AccessToken, ResourceServer } = this.#provider
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
      const server = new ResourceServer(api.identifier, api.server)
      token.resourceServer = server
      token.scope = grant.getResourceScopeFiltered(
        api.identifier,
        new Set([...source.scopes].filter((name) => server.scopes.has(name))),
      )
    } else {
      token.scope = grant.getOIDCScopeFiltered(source.scopes)
    }
    return token
  }

  /** `refreshToken`: a new one, or the one that stays. */
  async #answer(
    source: Source,
    standing: Standing,
    accessToken: AccessToken,
    refreshToken: RefreshToken | string | undefined,
  ) {
    const value = await accessToken.save()
    const renewed = typeof refreshToken === 'string' ? refreshToken : await refreshToken?.save()
    const body = {
      access_token: value,
      expires_in: accessToken.expiration,
      id_token: source.scopes.has('openid')
        ? await this.#idToken(source, standing, accessToken)
        : undefined,
      refresh_token: renewed,
      scope: source.scope ? accessToken.scope : accessToken.scope || undefined,
      token_type: 'Bearer',
    }
    return { body, accessToken }
  }

  async #idToken(
    source: Source,
    { client, account, grant }: Standing,
    accessToken: AccessToken,
  ): Promise<string> {
    const rejected = grant.getRejectedOIDCClaims()
    const claims = await account.claims('id_token', source.scope ?? '', {}, rejected)
    const { acr, amr, authTime: auth_time } = source
    const token = new this.#provider.IdToken(
      { ...claims, sub: account.accountId, acr, amr, auth_time },
      { client },
    )
    // What userinfo tells is told there (OIDC Core 5.4), unless the access token is for another API.
    const scope = accessToken.aud ? grant.getOIDCScopeFiltered(source.scopes) : 'openid'
    Object.assign(token, { scope, mask: {}, rejected })
    token.set('nonce', source.nonce)
    token.set('sid', source.sid)
    return token.issue({ use: 'idtoken' })
  }

  /** Stored, then told to the audit trail. */
  async #recorded(
    grant: string,
    client: Client,
    work: () => Promise<{ body: Body; accessToken: AccessToken } | undefined>,
  ): Promise<Body | undefined> {
    const done = await exchanging({ ...ENDPOINTS.token.readsAhead, asked: askedFor() }, work)
    if (done)
      recordIssued(this.#deps.audit, {
        grant,
        clientId: client.clientId,
        token: done.accessToken,
        isRepeat: done.isRepeat,
      })
    return done?.body
  }
}

/** The grant that the token hangs on, if it still holds and is of the same person and app. */
export async function grantOf(
  { Grant: Grants }: Provider,
  {
    grantId = '',
    clientId,
    accountId,
  }: {
    grantId?: string | undefined
    clientId?: string | undefined
    accountId?: string | undefined
  },
): Promise<Grant | undefined> {
  const grant = await Grants.find(grantId, { ignoreExpiration: true })
  return grant && !grant.isExpired && grant.clientId === clientId && grant.accountId === accountId
    ? grant
    : undefined
}

/** What a refresh token has of the code or the token before it. */
function inherited({
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

function isChallenge(challenge: string | undefined, verifier: string): boolean {
  return (
    challenge !== undefined &&
    equal(Buffer.from(challenge), Buffer.from(hash('sha256', verifier, 'base64url')))
  )
}
