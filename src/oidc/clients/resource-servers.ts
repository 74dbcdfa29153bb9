import { type Client, errors, type ResourceServer } from 'oidc-provider'
import { isOidcScope } from '../../clients/scopes.ts'
import { API_CLIENT_ID, API_SCOPE, apiResource } from './built-in-clients.ts'
import { settingsOf } from './settings.ts'

/** An API as registered, and where to look it up; handed in from the client store. */
export interface RegisteredResource {
  readonly identifier: string
  readonly scopes: readonly string[]
  readonly accessTokenSeconds: number
  readonly signingAlg: string
  readonly includesGroups: boolean
}
export type FindResource = (identifier: string) => Promise<RegisteredResource | undefined>

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
  async info(indicator: string, client: Client): Promise<ResourceServer> {
    const {
      allowed_resources: allowed,
      allowed_scopes: allowedScopes,
      account_api: usesAccountApi,
    } = settingsOf(client)
    if (indicator === apiResource(this.#issuer)) {
      const isApp = usesAccountApi === true && client.grantTypeAllowed('authorization_code')
      if (!isApp && client.clientId !== API_CLIENT_ID) throw new errors.InvalidTarget()
      return this.#server(indicator, [API_SCOPE], this.#lifetimeSeconds, 'ES256')
    }
    if (allowed && !allowed.includes(indicator)) throw new errors.InvalidTarget()
    const found = await this.#find(indicator)
    if (!found) throw new errors.InvalidTarget()
    const scopes = found.scopes.filter((scope) => allowedScopes?.includes(scope) ?? true)
    return this.#server(found.identifier, scopes, found.accessTokenSeconds, found.signingAlg)
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

  /** Whether its access tokens name the groups of the person. */
  async includesGroups(indicator: string): Promise<boolean> {
    return (await this.#find(indicator))?.includesGroups ?? false
  }

  #server(
    audience: string,
    scopes: readonly string[],
    accessTokenTTL: number,
    alg: string,
  ): ResourceServer {
    return {
      audience,
      scope: scopes.join(' '),
      accessTokenTTL,
      accessTokenFormat: 'jwt',
      jwt: { sign: { alg: alg as 'ES256' } },
    }
  }
}

function orNone(error: unknown): undefined {
  if (!(error instanceof errors.InvalidTarget)) throw error
}
