import { type Client, errors, type ResourceServer } from 'oidc-provider'
import { isOidcScope } from '../../clients/scopes.ts'
import type { TokenTyp } from '../../entities/index.ts'
import { API_CLIENT_ID, API_SCOPE, apiResource } from './built-in-clients.ts'
import { settingsOf } from './settings.ts'

/** An API as registered, and where to look it up; handed in from the client store. */
export interface RegisteredResource {
  readonly identifier: string
  readonly scopes: readonly string[]
  readonly accessTokenSeconds: number
  readonly signingAlg: string
  readonly includesGroups: boolean
  readonly tokenTyp: TokenTyp
  /** Its tokens are for userinfo too. */
  readonly opensUserinfo: boolean
  /** The client as which it asks for introspection. */
  readonly servedBy: string | undefined
}
export type FindResource = (identifier: string) => Promise<RegisteredResource | undefined>

/** An API as the engine's models take it; they keep `jwt` whole. */
export interface ApiServer extends ResourceServer {
  readonly opensUserinfo: boolean
  jwt: {
    readonly sign: { readonly alg: 'ES256' | 'RS256' }
    readonly typ: TokenTyp
    /** Whether somebody may show it to us: to ask about it, or for userinfo. */
    readonly comesBack: boolean
  }
}

/** Resource indicators (RFC 8707): each names an API whose access tokens are JWTs of RFC 9068. */
export class ResourceServers {
  readonly #issuer: string
  readonly #find: FindResource
  readonly #lifetimeSeconds: number

  constructor({
    issuer,
    find,
    lifetimeSeconds,
  }: { issuer: string; find: FindResource; lifetimeSeconds: number }) {
    this.#issuer = issuer
    this.#find = find
    this.#lifetimeSeconds = lifetimeSeconds
  }

  /**
   * Throws `invalid_target` for an unknown API, or one that the client may not use; it offers the
   * client's own scopes only (CL-01). The account API is for those that are registered for it, and
   * for our own tokens.
   */
  async info(indicator: string, client: Client): Promise<ApiServer> {
    const {
      allowed_resources: allowed,
      allowed_scopes: allowedScopes,
      account_api: usesAccountApi,
    } = settingsOf(client)
    if (indicator === apiResource(this.#issuer)) {
      const isApp = usesAccountApi === true && client.grantTypeAllowed('authorization_code')
      if (!isApp && client.clientId !== API_CLIENT_ID) throw new errors.InvalidTarget()
      return serverOf({
        identifier: indicator,
        scopes: [API_SCOPE],
        accessTokenSeconds: this.#lifetimeSeconds,
        signingAlg: 'ES256',
        tokenTyp: 'at+jwt',
        opensUserinfo: false,
        servedBy: undefined,
      })
    }
    if (allowed && !allowed.includes(indicator)) throw new errors.InvalidTarget()
    const found = await this.#find(indicator)
    if (!found) throw new errors.InvalidTarget()
    const scopes = found.scopes.filter((scope) => allowedScopes?.includes(scope) ?? true)
    return serverOf({ ...found, scopes })
  }

  /** Whether its access tokens name the groups of the person. */
  async includesGroups(indicator: string): Promise<boolean> {
    return (await this.#find(indicator))?.includesGroups ?? false
  }

  async isRegistered(indicator: string): Promise<boolean> {
    return (await this.#find(indicator)) !== undefined
  }

  /**
   * The APIs that the scopes belong to: each scope to one API of the client's own list, or to none.
   * The account API is for those who name it.
   */
  async broughtBy(scopes: readonly string[], client: Client): Promise<readonly string[]> {
    const wanted = scopes.filter((scope) => !isOidcScope(scope) && scope !== API_SCOPE)
    const own = wanted.length === 0 ? [] : (settingsOf(client).allowed_resources ?? [])
    const offers = await Promise.all(
      own
        .filter((indicator) => indicator !== apiResource(this.#issuer))
        .map(async (indicator) => ({
          indicator,
          scopes: (await this.info(indicator, client).catch(orNone))?.scope.split(' ') ?? [],
        })),
    )
    const brought = wanted.flatMap((scope) => {
      const [api, ...more] = offers.filter((offer) => offer.scopes.includes(scope))
      return api && more.length === 0 ? [api.indicator] : []
    })
    return [...new Set(brought)]
  }

  /** All scopes that these APIs offer to the client: none if it may not use one of them. */
  async offeredTo(client: Client, indicators: readonly string[]): Promise<ReadonlySet<string>> {
    const offered = new Set<string>()
    for (const indicator of indicators) {
      const server = await this.info(indicator, client).catch(orNone)
      if (!server) return new Set()
      for (const scope of server.scope.split(' ')) offered.add(scope)
    }
    return offered
  }
}

function serverOf({
  identifier,
  scopes,
  accessTokenSeconds,
  signingAlg,
  tokenTyp,
  opensUserinfo,
  servedBy,
}: Omit<RegisteredResource, 'includesGroups'>): ApiServer {
  return {
    audience: identifier,
    scope: scopes.join(' '),
    accessTokenTTL: accessTokenSeconds,
    accessTokenFormat: 'jwt',
    jwt: {
      sign: { alg: signingAlg as 'ES256' },
      typ: tokenTyp,
      comesBack: opensUserinfo || servedBy !== undefined,
    },
    opensUserinfo,
  }
}

function orNone(error: unknown): undefined {
  if (!(error instanceof errors.InvalidTarget)) throw error
}
