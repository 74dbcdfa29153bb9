import { isOidcScope } from '../../clients/scopes.ts'
import type { RegistrationMode } from '../../config/registration-modes.ts'
import type { ManagedBy } from '../../entities/client.ts'

const SECRETS = `(select json_agg(json_build_object('id', s."id", 'digest', s."digest", 'expiresAt', extract(epoch from s."expires_at")))
  from "client_secret" s where s."client_id" = "client"."id")::text as "secrets"`
export const CLIENT_COLUMNS = `"id"::text as "id", "name", "secret_digest", "metadata"::text as "metadata", "is_first_party", "require_mfa", "account_api", "refresh_leeway_seconds", "logo_digest", "managed_by", ${SECRETS}`

export interface ClientRow {
  readonly id: string
  readonly name: string
  readonly secret_digest: string | null
  readonly metadata: string
  readonly is_first_party: boolean
  readonly require_mfa: boolean
  readonly account_api: string
  readonly refresh_leeway_seconds: number | null
  readonly logo_digest: string | null
  readonly managed_by: ManagedBy
  readonly secrets: string | null
}

/** One that the client may show; without an id it was written by the previous version. */
export interface StoredSecret {
  readonly id?: string
  readonly digest: string
  /** Unix time. */
  readonly expiresAt: number | null
}

/** Members of a client that are ours; they go into oidc-provider's `extraClientMetadata.properties`. */
export const OUR_METADATA = [
  'first_party',
  'require_mfa',
  'require_acr',
  'sign_in_methods',
  'providers',
  'account_api',
  'refresh_leeway_seconds',
  'refresh_rotation',
  'assertion_audience',
  'assertion_seconds',
  'pkce',
  'access_token_seconds',
  'refresh_idle_seconds',
  'id_token_claims',
  'at_hash',
  'allowed_resources',
  'allowed_scopes',
  'default_scopes',
  'visible_groups',
  'registration',
  'logo_digest',
  'managed_by',
  'backchannel_http',
  'client_secrets',
] as const

export interface ProviderMetadata {
  readonly client_id: string
  readonly client_name: string
  /** The digest of the secret, not the secret. */
  readonly client_secret?: string
  /** All that it may show. */
  readonly client_secrets?: readonly StoredSecret[]
  readonly first_party: boolean
  readonly require_mfa: boolean
  /** What a sign-in to it must reach; absent: what the operator demands of all. */
  readonly require_acr?: '2fa' | 'phr'
  /** The ways in that it takes; absent: all that the operator offers. */
  readonly sign_in_methods?: readonly string[]
  /** The other providers that it takes people from; absent: all. */
  readonly providers?: readonly string[]
  /** People may let it manage their account. */
  readonly account_api: boolean
  /** Unix time: what it was given before is void, because it has been disabled since. */
  readonly not_before?: number
  readonly refresh_leeway_seconds?: number
  /** Absent: a refresh gives a new refresh token. */
  readonly refresh_rotation?: 'never'
  /** Absent: its assertions are for the issuer only. */
  readonly assertion_audience?: 'token-endpoint'
  /** How long its assertions may live; absent: as long as usual. */
  readonly assertion_seconds?: number
  /** Absent: every request has a `code_challenge`. */
  readonly pkce?: 'or_nonce' | 'optional'
  /** Absent: as long as usual. */
  readonly access_token_seconds?: number
  readonly refresh_idle_seconds?: number
  /** Absent: what userinfo says is said there only. */
  readonly id_token_claims?: 'scope'
  /** Absent: its ID tokens have none. */
  readonly at_hash?: true
  /** Identifiers of the APIs it may get tokens for; absent: all of them. */
  readonly allowed_resources?: readonly string[]
  /** All scopes it may ask for, those of APIs included; absent: all of them. */
  readonly allowed_scopes?: readonly string[]
  /** Asked for by a request without any scope. */
  readonly default_scopes?: readonly string[]
  /** Groups that it may see somebody to be in; absent: none, or all for first party. */
  readonly visible_groups?: readonly string[]
  /** Who may make an account on its pages; absent: as the server admits. */
  readonly registration?: RegistrationMode
  readonly managed_by: ManagedBy
  /** It is told of a sign-out by http. */
  readonly backchannel_http?: boolean
  /** Of our copy of its logo. */
  readonly logo_digest?: string
  readonly [member: string]: unknown
}

/**
 * A registered client in oidc-provider's words. Its `scope` knows the scopes of the person only;
 * the APIs' are members of their own.
 */
export function providerMetadata(row: ClientRow): ProviderMetadata {
  const { scope, ...metadata } = JSON.parse(row.metadata) as Readonly<Record<string, unknown>>
  const found = {
    ...metadata,
    ...(typeof scope === 'string' ? scopeMembers(scope) : {}),
    client_id: row.id,
    client_name: row.name,
    ...(row.secret_digest === null ? {} : secretMembers(row.secret_digest, row.secrets)),
    first_party: row.is_first_party,
    require_mfa: row.require_mfa,
    account_api: row.account_api !== 'off',
    managed_by: row.managed_by,
    ...(row.refresh_leeway_seconds === null
      ? {}
      : { refresh_leeway_seconds: row.refresh_leeway_seconds }),
    ...(row.logo_digest === null ? {} : { logo_digest: row.logo_digest }),
  }
  return Object.freeze(found)
}

/** A digest that only the client's row has is the previous version's: it takes the place of all others. */
function secretMembers(newest: string, stored: string | null) {
  const all = JSON.parse(stored ?? '[]') as readonly StoredSecret[]
  const isKnown = all.map(({ digest }) => digest).includes(newest)
  return {
    client_secret: newest,
    client_secrets: isKnown ? all : [{ digest: newest, expiresAt: null }],
  }
}

/**
 * An empty `scope` would mean "all" to oidc-provider; `openid` alone gives a client without a
 * person nothing.
 */
function scopeMembers(scope: string): { scope: string; allowed_scopes: readonly string[] } {
  const allowed = scope.split(' ').filter(Boolean)
  return {
    scope: allowed.filter((name) => isOidcScope(name)).join(' ') || 'openid',
    allowed_scopes: allowed,
  }
}
