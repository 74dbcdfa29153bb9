import { type Client, errors, type Provider, type ResourceServerInstance } from 'oidc-provider'
import { isOidcScope } from '../../clients/scopes.ts'
import { hasSecret, type NoteUse } from '../clients/secrets.ts'
import { mayIntrospect, onlyApi } from '../configuration.ts'
import { ENDPOINTS } from '../endpoints.ts'
import { sessionOf } from '../standing.ts'
import { recordIssued } from '../tokens/token-events.ts'
import { TOKEN_LENGTHS } from '../tokens/token-lengths.ts'
import { inUnit } from '../trips/request-unit.ts'
import { grantOf, PlainGrants, type PlainGrantsDeps } from './plain-grants.ts'

export interface PlainRequestsDeps extends PlainGrantsDeps {
  readonly secretUses: NoteUse
}

/** The JSON of an answer with status 200; undefined: not for us. */
export type PlainAnswer = Promise<Readonly<Record<string, unknown>> | undefined>
export type Form = Readonly<Record<string, string | string[] | undefined>>

/** HTTP Basic in its canonical spelling. */
const BASIC = /^Basic ((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/
/** Both parts form-encoded (RFC 6749 2.3.1). */
const CREDENTIALS = /^([!-9;-~]+):([!-~]+)$/
const DECODED = /^[ -~]+$/
const TOKEN = /^[\w-]+$/
/** RFC 6749 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/
type TokenModel = 'AccessToken' | 'ClientCredentials' | 'RefreshToken'
const MODELS: ReadonlyMap<number, TokenModel> = new Map(
  [...TOKEN_LENGTHS].map(([model, length]) => [length, model as TokenModel]),
)

/**
 * What APIs and services ask all day, in its plainest shape, answered by the provider's own models
 * without its router, parameters and middleware, which cost more than the answer. It never refuses:
 * what is odd in any way, or would be refused, is the provider's, as if nobody had looked at it.
 * `test/protocol/plain-requests.test.ts` holds both against each other.
 */
export class PlainRequests {
  readonly #provider: Provider
  readonly #deps: PlainRequestsDeps
  readonly #grants: PlainGrants

  constructor(provider: Provider, deps: PlainRequestsDeps) {
    this.#provider = provider
    this.#deps = deps
    this.#grants = new PlainGrants(provider, deps)
  }

  /** OIDC Core 5.3, with the token in the header. */
  async userinfo(authorization: string): PlainAnswer {
    const token = authorization.slice('Bearer '.length)
    if (!authorization.startsWith('Bearer ') || !isToken(token)) return undefined
    return plainly(() => inUnit(ENDPOINTS.userinfo.readsAhead, () => this.#claimsFor(token)))
  }

  async #claimsFor(value: string): PlainAnswer {
    const { AccessToken, Claims, Client } = this.#provider
    const token = await AccessToken.find(value)
    if (!token?.accountId || !token.scope || !token.scopes.has('openid')) return undefined
    if (token.aud !== undefined || token.claims !== undefined || token.isSenderConstrained())
      return undefined
    const client = await Client.find(token.clientId ?? '')
    const account = await this.#deps.findAccount(token.accountId, sessionOf(token))
    const grant = await grantOf(this.#provider, token)
    if (
      !client ||
      !account ||
      !grant ||
      client.userinfoSignedResponseAlg ||
      client.userinfoEncryptedResponseAlg
    )
      return undefined
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
  ): PlainAnswer {
    const model = isToken(token) ? MODELS.get(token.length) : undefined
    if (!model || Array.isArray(hint) || Object.keys(more).length > 0) return undefined
    return this.#by(authorization, (client) =>
      inUnit(ENDPOINTS.introspection.readsAhead, () => this.#stateOf(model, String(token), client)),
    )
  }

  async #stateOf(model: TokenModel, value: string, client: Client): PlainAnswer {
    const token = await (
      this.#provider[model] as { find(value: string): Promise<FoundToken | undefined> }
    ).find(value)
    if (
      !token?.isValid ||
      (token.grantId && !(await grantOf(this.#provider, token))) ||
      !mayIntrospect(client, token)
    )
      return { active: false }
    if (token.rar !== undefined || token.isSenderConstrained()) return undefined
    return {
      active: true,
      ...(token.accountId ? { sub: token.accountId } : {}),
      ...token.extra,
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
  async token(authorization: string, { grant_type: grantType, ...form }: Form): PlainAnswer {
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
        this.#issue(client, scope as string, (resource as string | undefined) ?? onlyApi(client)),
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

  async #issue(client: Client, scope: string, resource: string | undefined): PlainAnswer {
    if (!client.grantTypeAllowed('client_credentials')) return undefined
    const href = URL.parse(resource ?? '')?.href
    if (!resource || !href || href.includes('#')) return undefined
    const resourceServer = await this.#deps.resources.info(resource, client)
    const scopes = scope === '' ? [] : [...new Set(scope.split(' '))]
    const offered = resourceServer.scope.split(' ')
    if (scope !== '' && !SCOPE.test(scope)) return undefined
    if (scopes.some((name) => !offered.includes(name) || isOidcScope(name))) return undefined
    const { ClientCredentials } = this.#provider
    const token = new ClientCredentials({ client, scope: scopes.join(' ') })
    token.resourceServer = resourceServer as ResourceServerInstance
    const value = await token.save()
    const { tokenType, expiration } = token as typeof token & { tokenType: string }
    recordIssued(this.#deps.audit, {
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

  #by(authorization: string, answer: (client: Client) => PlainAnswer): PlainAnswer {
    return plainly(async () => {
      const client = await this.#authenticated(authorization)
      return client && answer(client)
    })
  }

  async #authenticated(authorization: string): Promise<Client | undefined> {
    const [, encoded = ''] = BASIC.exec(authorization) ?? []
    const [, id, secret] = (
      CREDENTIALS.exec(Buffer.from(encoded, 'base64').toString('latin1')) ?? []
    ).map(formDecoded)
    const client = id === undefined ? undefined : await this.#provider.Client.find(id)
    if (
      secret === undefined ||
      client?.clientAuthMethod !== 'client_secret_basic' ||
      client.clientSecretExpiresAt
    )
      return undefined
    return hasSecret(client, secret, this.#deps.secretUses) ? client : undefined
  }
}

interface FoundToken {
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
  readonly rar?: unknown
  isSenderConstrained(): boolean
}

function isToken(value: string | string[] | undefined): value is string {
  return typeof value === 'string' && TOKEN.test(value)
}

/** What the protocol refuses, it refuses in the provider's words. */
async function plainly(answer: () => PlainAnswer): PlainAnswer {
  try {
    return await answer()
  } catch (error) {
    if (error instanceof errors.OIDCProviderError) return undefined
    throw error
  }
}

function formDecoded(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text.replaceAll('+', ' '))
    return DECODED.test(decoded) ? decoded : undefined
  } catch {
    return undefined
  }
}
