import type { Adapter } from 'oidc-provider'
import { LIFETIMES, MAX_CLIENT_ID } from '../../config/limits.ts'
import type { RegistrationMode } from '../../config/registration-modes.ts'
import type { Database } from '../../database/database.ts'
import type { Announcements } from '../../feed/announcements.ts'
import { LookupCache } from '../../feed/lookup-cache.ts'
import { API_CLIENT_ID, isBuiltIn } from './built-in-clients.ts'
import {
  CLIENT_COLUMNS,
  type ClientRow,
  type ProviderMetadata,
  providerMetadata,
} from './client-metadata.ts'
import { NativeApps } from './native-apps.ts'
import { RegisteredOrigins } from './origins.ts'
import type { RegisteredResource } from './resource-servers.ts'

const CLIENT = {
  name: 'client-find',
  text: `select ${CLIENT_COLUMNS} from "client" where "id" = $1 and "disabled_at" is null`,
}
const RESOURCE = {
  name: 'resource-find',
  text: `select "identifier", array_to_string("scopes", ' ') as "scopes", "access_token_seconds", "signing_alg", "include_groups",
    "token_typ", "opens_userinfo", "served_by_id" from "resource" where "identifier" = $1`,
}
const RESTORED = 'select extract(epoch from "restored_at")::float8 as "at" from "server_state"'
const MAX_CLIENTS = 10_000

export interface ClientDirectoryDeps extends Pick<Database, 'pool'> {
  readonly announcements: Announcements
}

/**
 * Registered clients and resources as the protocol needs them: from memory, and every instance
 * forgets what any of them changes.
 */
export class ClientDirectory {
  readonly origins: RegisteredOrigins
  readonly nativeApps: NativeApps
  readonly #clients: LookupCache<ProviderMetadata>
  readonly #resources: LookupCache<RegisteredResource>
  /** Unix time. */
  readonly #restoredAt: number

  static async open(deps: ClientDirectoryDeps): Promise<ClientDirectory> {
    const { rows } = await deps.pool.query<{ at: number }>(RESTORED)
    return new ClientDirectory(deps, rows[0]?.at ?? 0)
  }

  private constructor({ pool, announcements }: ClientDirectoryDeps, restoredAt: number) {
    this.#restoredAt = restoredAt
    this.origins = new RegisteredOrigins({ pool, announcements })
    this.nativeApps = new NativeApps({ pool, announcements })
    const common = { isLive: () => announcements.isLive, max: MAX_CLIENTS }
    this.#clients = new LookupCache({
      ...common,
      load: async (id) => {
        const { rows } = await pool.query<ClientRow>({ ...CLIENT, values: [id] })
        return rows[0] && providerMetadata(rows[0])
      },
    })
    this.#resources = new LookupCache({
      ...common,
      load: async (identifier) => {
        const { rows } = await pool.query<ResourceRow>({ ...RESOURCE, values: [identifier] })
        return rows[0] && resourceOf(rows[0])
      },
    })
    announcements.follow('client', this.#clients)
    announcements.follow('resource', this.#resources)
  }

  /** oidc-provider's storage of the model `Client`; registrations are made elsewhere. */
  readonly adapter: Adapter = {
    find: async (id) => this.#find(id),
    upsert: refuse,
    destroy: refuse,
    consume: refuse,
    findByUid: refuse,
    findByUserCode: refuse,
    revokeByGrantId: refuse,
  }

  /**
   * Whether it was issued after the database was last put back from a backup, which has forgotten
   * what was used until then.
   */
  isSinceRestore(issuedAt: number): boolean {
    return issuedAt >= this.#restoredAt
  }

  /** Whether the client is live, and was not disabled since `issuedAt` (Unix time). */
  async honours(clientId: string, issuedAt: number): Promise<boolean> {
    if (isBuiltIn(clientId)) return true
    const client = await this.#find(clientId)
    return client !== undefined && issuedAt >= (client.not_before ?? 0)
  }

  /**
   * Whether the client may use the account API: its own tokens, or those of an app that is
   * registered for it.
   */
  async usesAccountApi(clientId: string): Promise<boolean> {
    if (isBuiltIn(clientId)) return clientId === API_CLIENT_ID
    return (await this.#find(clientId))?.account_api === true
  }

  /** Who may register through the client, if that is fewer than the server admits. */
  async registrationMode(clientId: string): Promise<RegistrationMode | undefined> {
    return isBuiltIn(clientId) ? undefined : (await this.#find(clientId))?.registration
  }

  /** Whether the client is told of sessions that end (OpenID Connect Back-Channel Logout 1.0). */
  async hearsOfLogout(clientId: string): Promise<boolean> {
    return Boolean((await this.#find(clientId))?.['backchannel_logout_uri'])
  }

  async #find(clientId: string): Promise<ProviderMetadata | undefined> {
    return isKey(clientId, MAX_CLIENT_ID) ? this.#clients.find(clientId) : undefined
  }

  async findResource(identifier: string): Promise<RegisteredResource | undefined> {
    return isKey(identifier, 512) ? this.#resources.find(identifier) : undefined
  }

  /**
   * The client's own leeway, of one that was found lately: a request is authenticated before it
   * spends a token.
   */
  leewaySeconds(clientId: string, usual: number): number {
    const client = this.#clients.peek(clientId)
    const seconds = client?.refresh_leeway_seconds ?? usual
    const authenticates = client !== undefined && client['token_endpoint_auth_method'] !== 'none'
    return authenticates ? seconds : Math.min(seconds, LIFETIMES.refreshLeewayPublic)
  }
}

interface ResourceRow {
  readonly identifier: string
  readonly scopes: string
  readonly access_token_seconds: number
  readonly signing_alg: string
  readonly include_groups: boolean
  readonly token_typ: RegisteredResource['tokenTyp']
  readonly opens_userinfo: boolean
  readonly served_by_id: string | null
}

function resourceOf(row: ResourceRow): RegisteredResource {
  return {
    identifier: row.identifier,
    scopes: row.scopes.split(' '),
    accessTokenSeconds: row.access_token_seconds,
    signingAlg: row.signing_alg,
    includesGroups: row.include_groups,
    tokenTyp: row.token_typ,
    opensUserinfo: row.opens_userinfo,
    servedBy: row.served_by_id ?? undefined,
  }
}

/** PostgreSQL takes no NUL, and nothing registered looks otherwise. */
function isKey(value: string, max: number): boolean {
  return value.length <= max && /^[!-~]+$/.test(value)
}

async function refuse(): Promise<never> {
  throw new Error('clients are registered through src/clients')
}
