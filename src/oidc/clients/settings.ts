import type { ProviderMetadata } from './client-metadata.ts'

export type ClientSettings = Partial<
  Pick<
    ProviderMetadata,
    | 'client_secrets'
    | 'first_party'
    | 'require_mfa'
    | 'require_acr'
    | 'sign_in_methods'
    | 'providers'
    | 'account_api'
    | 'managed_by'
    | 'backchannel_http'
    | 'refresh_rotation'
    | 'assertion_audience'
    | 'assertion_seconds'
    | 'pkce'
    | 'access_token_seconds'
    | 'refresh_idle_seconds'
    | 'id_token_claims'
    | 'at_hash'
    | 'allowed_resources'
    | 'allowed_scopes'
    | 'default_scopes'
    | 'visible_groups'
    | 'registration'
  >
>

/** What is ours of a client that the provider has made of its metadata: read by name here only. */
export function settingsOf(client: object | undefined): ClientSettings {
  return client ?? {}
}
