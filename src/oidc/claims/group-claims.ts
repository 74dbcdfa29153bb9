import type { Client, Provider } from 'oidc-provider'
import type { AuditSink } from '../../audit/event.ts'
import { CLAIM_IN_TOKEN } from '../../config/limits.ts'
import { seldom } from '../../seldom.ts'
import { settingsOf } from '../clients/settings.ts'
import { ENDPOINTS } from '../endpoints.ts'

export interface GroupClaimsDeps {
  readonly issuer: string
  readonly memberships: { namesOf(accountId: string): Promise<readonly string[]> }
  readonly audit: AuditSink
}

export type GroupClaim =
  | { readonly groups: readonly string[] }
  /** OIDC Core 5.6.2: it is to be had there. */
  | {
      readonly _claim_names: { readonly groups: 'userinfo' }
      readonly _claim_sources: { readonly userinfo: { readonly endpoint: string } }
    }

const DAY_MS = 86_400_000

/** In which groups somebody is, as one app may see it (`--groups`); of no other does it hear. */
export class GroupClaims {
  readonly #deps: GroupClaimsDeps
  readonly #endpoint: string
  readonly #isNew = seldom(DAY_MS)

  constructor(deps: GroupClaimsDeps) {
    this.#deps = deps
    this.#endpoint = new URL(ENDPOINTS.userinfo.path, deps.issuer).href
  }

  /** All of them, for answers that are read once. */
  async visible(client: Client, accountId: string): Promise<readonly string[]> {
    const { first_party: isOurs, visible_groups: named } = settingsOf(client)
    if (!named && !isOurs) return []
    const names = await this.#deps.memberships.namesOf(accountId)
    return named ? names.filter((name) => named.includes(name)) : names
  }

  /** For tokens, which travel in headers: all of them or, if that is too much, where they are. */
  async inToken(client: Client, accountId: string): Promise<GroupClaim> {
    const groups = await this.visible(client, accountId)
    const bytes = Buffer.byteLength(JSON.stringify(groups))
    if (groups.length <= CLAIM_IN_TOKEN.values && bytes <= CLAIM_IN_TOKEN.bytes) return { groups }
    this.#tell(client.clientId, groups.length)
    return {
      _claim_names: { groups: 'userinfo' },
      _claim_sources: { userinfo: { endpoint: this.#endpoint } },
    }
  }

  /** Once a day and client. */
  #tell(clientId: string, count: number): void {
    if (!this.#isNew(clientId)) return
    const detail = { claim: 'groups', count }
    this.#deps.audit.record({ type: 'claims_truncated', clientId, detail })
  }
}

/** Whether the operator lets the client ask for them. */
export function mayAskForGroups(client: Client | undefined): boolean {
  return settingsOf(client).allowed_scopes?.includes('groups') ?? false
}

const USE = Symbol('use')

/** Says with the claims of an account what they are for, which the engine keeps to itself. */
export const forUse = (use: string): object => ({ [USE]: use })

interface ReleasedClaims {
  available: { readonly sub: string; readonly [claim: string]: unknown; readonly [USE]?: string }
  readonly filter: { readonly groups?: unknown }
  readonly client: Client
  result(): Promise<object>
}

/**
 * Adds them where the granted scopes or the request name them, and the client may have them: read
 * only then. An ID token has them only for a client whose ID tokens have claims.
 */
export function releaseGroups(provider: Provider, claims: GroupClaims): void {
  const { prototype } = provider.Claims as unknown as { prototype: ReleasedClaims }
  const { result } = prototype
  prototype.result = async function () {
    const { available, client } = this
    if (this.filter.groups !== undefined && mayAskForGroups(client)) {
      const { sub } = available
      if (available[USE] === 'userinfo')
        this.available = { ...available, groups: await claims.visible(client, sub) }
      else if (settingsOf(client).id_token_claims === 'scope')
        this.available = { ...available, ...(await claims.inToken(client, sub)) }
    }
    return result.call(this)
  }
}
