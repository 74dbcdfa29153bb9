import type { Client, Grant, Provider, RefreshToken } from 'oidc-provider'
import { API_CLIENT_ID, apiResource } from '../clients/built-in-clients.ts'
import type { ResourceServers } from '../clients/resource-servers.ts'
import { comingOf } from './authentication.ts'

/** `gty` of what the account API issues. */
export const GTY = 'first_party'

export interface FirstPartyPairsDeps {
  readonly provider: () => Provider
  readonly issuer: string
  readonly resources: ResourceServers
}

/** As the token endpoint answers (RFC 6749 5.1). */
export interface TokenPair {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly refresh_token: string
  readonly scope: string
}

/** Mints and stores the two tokens of an answer of the account API. */
export class FirstPartyPairs {
  readonly #deps: FirstPartyPairsDeps
  readonly #resource: string

  constructor(deps: FirstPartyPairsDeps) {
    this.#deps = deps
    this.#resource = apiResource(deps.issuer)
  }

  async mint(client: Client, grant: Grant, refreshToken: RefreshToken): Promise<TokenPair> {
    const { AccessToken, ResourceServer } = this.#deps.provider()
    const { accountId, grantId = '', gty = GTY, sessionUid } = refreshToken
    const scope = grant.getResourceScopeFiltered(
      this.#resource,
      new Set(refreshToken.scope?.split(' ')),
    )
    const accessToken = new AccessToken({
      client,
      accountId,
      grantId,
      gty,
      sessionUid,
      expiresWithSession: true,
      scope,
    })
    accessToken.resourceServer = new ResourceServer(
      this.#resource,
      await this.#deps.resources.info(this.#resource, client),
    )
    const refresh_token = await refreshToken.save()
    return {
      access_token: await comingOf(accessToken, refreshToken).save(),
      token_type: 'Bearer',
      expires_in: accessToken.expiration,
      refresh_token,
      scope,
    }
  }

  async client(): Promise<Client> {
    const client = await this.#deps.provider().Client.find(API_CLIENT_ID)
    if (!client) throw new Error(`the client ${API_CLIENT_ID} is missing`)
    return client
  }
}
