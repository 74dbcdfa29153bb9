import { hash } from 'node:crypto'
import type { Client, Grant, Provider } from 'oidc-provider'
import type { AuditSink } from '../../audit/event.ts'
import { equal } from '../../crypto/token.ts'
import { mayAskForGroups } from '../claims/group-claims.ts'
import { type FindsProvider, sayingIdp } from '../claims/idp.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import { ENDPOINTS } from '../endpoints.ts'
import type { FindAccount } from '../find-account.ts'
import { sessionOf } from '../standing.ts'
import { issuesRefreshToken, rotatesRefreshTokens } from '../token-policy.ts'
import { recordIssued } from '../tokens/token-events.ts'
import { askedFor, exchanging } from '../trips/request-unit.ts'
import { isKnownToken } from './allow-list.ts'
import {
  type Answered,
  accessTokenOf,
  answerOf,
  type Body,
  inherited,
  type Source,
  type Standing,
} from './answer.ts'

export interface FastGrantsDeps {
  /** What the engine asks as well, once a request. */
  readonly findAccount: FindAccount
  readonly sessionProviders: FindsProvider
  readonly resources: ResourceServers
  readonly audit: AuditSink
}

/** RFC 7636 4.1. */
const VERIFIER = /^[\w.~-]{43,128}$/
const REFRESH = 'refresh_token'

/**
 * Codes and refresh tokens of confidential apps, spent and renewed as the engine's grants do with
 * our configuration, by its own models. Nothing is spent before the answer is made. The second use,
 * one that comes too late, and anything that is not on the allow-list are the engine's.
 */
export class FastGrants {
  readonly #provider: Provider
  readonly #deps: FastGrantsDeps

  constructor(provider: Provider, deps: FastGrantsDeps) {
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
      if (!code || code.redirectUri !== redirectUri) return undefined
      if (code.codeChallengeMethod !== 'S256' || !isChallenge(code.codeChallenge, verifier))
        return undefined
      const standing = await this.#standing(code, client)
      if (!standing) return undefined
      await code.consume()
      const accessToken = accessTokenOf(this.#provider, code, standing, 'authorization_code')
      const refreshToken = issuesRefreshToken(client, code)
        ? new RefreshToken({ ...inherited(code), client, gty: 'authorization_code', rotations: 0 })
        : undefined
      return answerOf(this.#provider, code, standing, accessToken, refreshToken)
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
        return answerOf(
          this.#provider,
          used,
          standing,
          accessTokenOf(this.#provider, used, standing, gty),
          used.jti,
        )
      await used.consume()
      const rotations = typeof used.rotations === 'number' ? used.rotations + 1 : 1
      const refreshToken = new RefreshToken({
        ...inherited(used),
        client,
        gty,
        rotations,
        iiat: used.iiat,
      })
      return answerOf(
        this.#provider,
        refreshToken,
        standing,
        accessTokenOf(this.#provider, refreshToken, standing, gty),
        refreshToken,
      )
    })
  }

  async #standing(source: Source, client: Client): Promise<Standing | undefined> {
    const { grantId, accountId, resource } = source
    if (source.clientId !== client.clientId || source.isExpired || isSpent(source)) return undefined
    if (!accountId || !grantId || !source.scope) return undefined
    if (!isKnownToken(source) || Array.isArray(resource)) return undefined
    const grant = await grantOf(this.#provider, source)
    const { findAccount, sessionProviders } = this.#deps
    const found = grant && (await findAccount(accountId, sessionOf(source)))
    const account = sayingIdp(found, source, sessionProviders)
    if (!grant || !account) return undefined
    const namesGroups = resource !== undefined && mayAskForGroups(client)
    if (namesGroups && (await this.#deps.resources.includesGroups(resource))) return undefined
    const api = resource
      ? { identifier: resource, server: await this.#deps.resources.info(resource, client) }
      : undefined
    return { client, account, grant, api }
  }

  /** Stored, then told to the audit trail. */
  async #recorded(
    grant: string,
    client: Client,
    work: () => Promise<Answered | undefined>,
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

function isSpent(source: Source & { readonly consumed?: unknown }): boolean {
  return Boolean(source.consumed)
}

function isChallenge(challenge: string | undefined, verifier: string): boolean {
  return (
    challenge !== undefined &&
    equal(Buffer.from(challenge), Buffer.from(hash('sha256', verifier, 'base64url')))
  )
}
