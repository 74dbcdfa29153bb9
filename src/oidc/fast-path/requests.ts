import { type Client, errors, type Provider } from 'oidc-provider'
import type { Adapter } from '../adapters/adapter.ts'
import type { GroupClaims } from '../claims/group-claims.ts'
import { introspectedGroups } from '../claims/token-groups.ts'
import type { NoteUse } from '../clients/secrets.ts'
import { ENDPOINTS } from '../endpoints.ts'
import { isOwnToken } from '../introspection.ts'
import { sessionOf } from '../standing.ts'
import { onlyApi } from '../token-policy.ts'
import { TOKEN_LENGTHS } from '../tokens/token-lengths.ts'
import { inUnit } from '../trips/request-unit.ts'
import { isKnownToken, isOpen } from './allow-list.ts'
import { FastGrants, type FastGrantsDeps, grantOf } from './grants.ts'
import { KnownClients } from './known-clients.ts'
import { issueToService } from './services.ts'

/** The JSON of an answer with status 200; undefined: not for us. */
export type FastAnswer = Promise<Readonly<Record<string, unknown>> | undefined>
export type Form = Readonly<Record<string, string | string[] | undefined>>

const TOKEN = /^[\w-]+$/
/** Of userinfo, which takes JWTs too. */
const BEARER = /^Bearer ([\w.-]+)$/
type TokenModel = 'AccessToken' | 'ClientCredentials' | 'RefreshToken'
const MODELS: ReadonlyMap<number, TokenModel> = new Map(
  [...TOKEN_LENGTHS].map(([model, length]) => [length, model as TokenModel]),
)

export interface FastPathDeps extends FastGrantsDeps {
  /** The storage of clients. */
  readonly clients: Pick<Adapter, 'find'>
  readonly secretUses: NoteUse
  readonly groupClaims: GroupClaims
}

/**
 * What APIs and services ask all day, in its plainest shape, answered by the engine's own models
 * without its router, parameters and middleware, which cost more than the answer. It knows clients,
 * tokens and requests by closed lists (`allow-list.ts`) and never refuses: what is not in them, or
 * would be refused, is the engine's, as if nobody had looked at it.
 * `test/protocol/fast-path-*.test.ts` hold both against each other.
 */
export class FastPath {
  readonly #provider: Provider
  readonly #deps: FastPathDeps
  readonly #grants: FastGrants
  readonly #clients: KnownClients

  constructor(provider: Provider, deps: FastPathDeps) {
    this.#provider = provider
    this.#deps = deps
    this.#clients = new KnownClients(provider, deps.clients, deps.secretUses)
    this.#grants = new FastGrants(provider, deps)
  }

  /** OIDC Core 5.3, with the token in the header. */
  async userinfo(authorization: string): FastAnswer {
    const token = BEARER.exec(authorization)?.[1]
    if (token === undefined) return undefined
    return orEngine(() => inUnit(ENDPOINTS.userinfo.readsAhead, () => this.#claimsFor(token)))
  }

  async #claimsFor(value: string): FastAnswer {
    const { AccessToken, Claims } = this.#provider
    const token = await AccessToken.find(value)
    if (!token?.accountId || !token.scope || !token.scopes.has('openid')) return undefined
    if (token.aud !== undefined || !isKnownToken(token)) return undefined
    const client = await this.#clients.find(token.clientId ?? '')
    const account = await this.#deps.findAccount(token.accountId, sessionOf(token))
    const grant = await grantOf(this.#provider, token)
    if (!client || !account || !grant) return undefined
    const rejected = grant.getRejectedOIDCClaims()
    const scope = grant.getOIDCScopeFiltered(token.scopes)
    const claims = await account.claims('userinfo', scope, {}, rejected)
    const mask = new Claims({ ...claims, sub: account.accountId }, { client }).scope(scope)
    mask.mask({})
    mask.rejected(rejected)
    return mask.result()
  }

  /** RFC 7662. */
  async introspection(
    authorization: string,
    { token, token_type_hint: hint, ...more }: Form,
  ): FastAnswer {
    const model = isToken(token) ? MODELS.get(token.length) : undefined
    if (!model || Array.isArray(hint) || Object.keys(more).length > 0) return undefined
    return this.#by(authorization, (client) =>
      inUnit(ENDPOINTS.introspection.readsAhead, () => this.#stateOf(model, String(token), client)),
    )
  }

  async #stateOf(model: TokenModel, value: string, client: Client): FastAnswer {
    const token = await (
      this.#provider[model] as { find(value: string): Promise<FoundToken | undefined> }
    ).find(value)
    if (
      !token?.isValid ||
      (token.grantId && !(await grantOf(this.#provider, token))) ||
      !isOwnToken(client, token)
    )
      return { active: false }
    if (!isKnownToken(token)) return undefined
    return {
      active: true,
      ...(token.accountId ? { sub: token.accountId } : {}),
      ...token.extra,
      ...(await introspectedGroups(this.#deps.groupClaims, client, token)),
      client_id: token.clientId,
      exp: token.exp,
      iat: token.iat,
      sid: token.sid,
      iss: this.#provider.issuer,
      aud: token.aud,
      scope: token.scope || undefined,
      token_type: model === 'RefreshToken' ? undefined : 'Bearer',
    }
  }

  /** RFC 6749 4.1.3, 4.4 and 6. */
  async token(authorization: string, { grant_type: grantType, ...form }: Form): FastAnswer {
    const {
      scope = '',
      resource,
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
      refresh_token: refreshToken,
    } = form
    if (Object.values(form).some((value) => typeof value !== 'string')) return undefined
    const isOnly = (...names: string[]) => Object.keys(form).every((name) => names.includes(name))
    if (grantType === 'client_credentials' && isOnly('scope', 'resource'))
      return this.#by(authorization, (client) =>
        issueToService(this.#provider, this.#deps, {
          client,
          scope: scope as string,
          resource: (resource as string | undefined) ?? onlyApi(client),
        }),
      )
    if (grantType === 'refresh_token' && isOnly('refresh_token') && isToken(refreshToken))
      return this.#by(authorization, (client) => this.#grants.refresh(client, refreshToken))
    if (
      grantType === 'authorization_code' &&
      isOnly('code', 'redirect_uri', 'code_verifier') &&
      isToken(code)
    )
      return this.#by(authorization, (client) =>
        this.#grants.code(client, {
          code,
          redirectUri: redirectUri as string,
          verifier: verifier as string,
        }),
      )
    return undefined
  }

  #by(authorization: string, answer: (client: Client) => FastAnswer): FastAnswer {
    return orEngine(async () => {
      const client = await this.#clients.authenticated(authorization)
      return client && answer(client)
    })
  }
}

interface FoundToken {
  readonly kind: string
  readonly isValid: boolean
  readonly grantId?: string | undefined
  readonly accountId?: string | undefined
  readonly clientId?: string | undefined
  readonly exp?: number
  readonly iat: number
  readonly sid?: string | undefined
  readonly aud?: string | string[] | undefined
  readonly scope?: string | undefined
  readonly extra?: object | undefined
}

function isToken(value: string | string[] | undefined): value is string {
  return typeof value === 'string' && TOKEN.test(value)
}

/** What the protocol refuses, it refuses in the engine's words. */
async function orEngine(answer: () => FastAnswer): FastAnswer {
  if (!isOpen) return undefined
  try {
    return await answer()
  } catch (error) {
    if (error instanceof errors.OIDCProviderError) return undefined
    throw error
  }
}
