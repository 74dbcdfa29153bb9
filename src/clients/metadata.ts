import { ACR_OF } from '../config/acr.ts'
import type { AccountApiUse, Client, ClientMetadata } from '../entities/client.ts'
import { redirectKind } from './redirect-kind.ts'
import { CLIENT_FIELDS, type ClientRegistration } from './registration.ts'
import { ACCOUNT_SCOPE } from './scopes.ts'

type Row = Pick<
  Client,
  | 'name'
  | 'isFirstParty'
  | 'requireMfa'
  | 'accountApi'
  | 'refreshLeewaySeconds'
  | 'registration'
  | 'metadata'
>

/** Fields that are columns of their own; all others are kept together. */
const COLUMNS = ['name', 'isFirstParty', 'requireMfa', 'accountApi', 'refreshLeewaySeconds']

/** What is stored of a client that is meant like that; `before`, if it was stored already. */
export function columnsOf(meant: ClientRegistration, before?: Row) {
  const { name, isFirstParty, requireMfa, refreshLeewaySeconds = null } = meant
  const rest = Object.entries(meant).filter(([field]) => !COLUMNS.includes(field))
  return {
    name,
    isFirstParty,
    requireMfa,
    accountApi: accountApiOf(meant, before),
    refreshLeewaySeconds,
    registration: { ...unknownOf(before?.registration), ...Object.fromEntries(rest) },
    metadata: metadataOf(meant, before?.metadata),
  } as const
}

/** What became of an app of old times stays open until the operator settles it. */
function accountApiOf(meant: ClientRegistration, before: Row | undefined): AccountApiUse {
  if (!meant.accountApi) return 'off'
  return before?.accountApi === 'kept' ? 'kept' : 'on'
}

/** What a later version has stored besides. */
function unknownOf(stored: Row['registration'] = null): Record<string, unknown> {
  const fields: readonly string[] = CLIENT_FIELDS
  return Object.fromEntries(Object.entries(stored ?? {}).filter(([name]) => !fields.includes(name)))
}

/**
 * RFC 7591 names, every allowlist spelled out so that no default of the engine widens it (CL-01).
 * Members of `before` that are no part of a registration stay.
 */
export function metadataOf(meant: ClientRegistration, before: ClientMetadata = {}): ClientMetadata {
  const derived = {
    application_type: hasOwnScheme(meant) ? 'native' : 'web',
    redirect_uris: meant.redirectUris,
    post_logout_redirect_uris: meant.postLogoutRedirectUris,
    grant_types: meant.grantTypes,
    response_types: meant.grantTypes.includes('authorization_code') ? ['code'] : [],
    response_modes: meant.responseModes,
    token_endpoint_auth_method: meant.authMethod,
    id_token_signed_response_alg: meant.idTokenAlg,
    introspection_signed_response_alg: meant.introspectionAlg,
    access_token_seconds: meant.accessTokenSeconds,
    refresh_idle_seconds: meant.refreshIdleSeconds,
    id_token_claims: meant.idTokenClaims === 'scope' ? 'scope' : undefined,
    at_hash: meant.atHash ? true : undefined,
    scope: meant.scopes.join(' '),
    default_scopes: meant.defaultScopes,
    allowed_resources: meant.resources,
    pkce: meant.pkce === 'required' ? undefined : meant.pkce,
    visible_groups: meant.groups,
    registration: meant.registration === 'open' ? undefined : meant.registration,
    require_acr: meant.requireAcr,
    default_acr_values: meant.defaultAcrValues?.map((level) => ACR_OF[level]),
    sign_in_methods: meant.signInMethods,
    providers: meant.providers,
    refresh_rotation: meant.refreshRotation === 'never' ? 'never' : undefined,
    jwks: meant.jwks,
    jwks_uri: meant.jwksUri,
    assertion_audience:
      meant.assertionAudience === 'token-endpoint' ? meant.assertionAudience : undefined,
    assertion_seconds: meant.assertionSeconds,
    client_uri: meant.clientUri,
    logo_uri: meant.logoUri,
    policy_uri: meant.policyUri,
    tos_uri: meant.tosUri,
    backchannel_logout_uri: meant.backchannelLogoutUri,
    backchannel_http: meant.backchannelHttp ? true : undefined,
    backchannel_logout_session_required:
      meant.backchannelLogoutUri === undefined ? undefined : true,
  }
  const all = Object.entries({ ...before, ...derived })
  return Object.fromEntries(all.filter(([, value]) => value !== undefined))
}

/** The engine lets native apps have schemes of their own, and loopback on any port, and no others. */
function hasOwnScheme({ type, redirectUris, postLogoutRedirectUris }: ClientRegistration): boolean {
  const all = [...redirectUris, ...postLogoutRedirectUris]
  return type === 'native' || all.some((uri) => redirectKind(uri) === 'scheme')
}

/** Of a client that is given nothing back of what it, or another of its name, was given until now. */
export function honouringFromNow(metadata: ClientMetadata): ClientMetadata {
  return { ...metadata, not_before: Math.floor(Date.now() / 1000) }
}

/** Of a client that was registered before there was a choice. */
const UNASKED = {
  pkce: 'required',
  idTokenClaims: 'minimal',
  atHash: false,
  allowPrivateRedirect: false,
  backchannelHttp: false,
  registration: 'open',
} as const satisfies Partial<ClientRegistration>

/** A stored client as it was meant. */
export function registrationOf(row: Row): ClientRegistration {
  const { name, isFirstParty, requireMfa, accountApi, refreshLeewaySeconds } = row
  const stored = row.registration ?? meantBy(row.metadata)
  const known = CLIENT_FIELDS.filter((field) => stored[field] !== undefined)
  return {
    ...UNASKED,
    ...(Object.fromEntries(known.map((field) => [field, stored[field]])) as ClientRegistration),
    name,
    isFirstParty,
    requireMfa,
    accountApi: accountApi !== 'off',
    ...(refreshLeewaySeconds === null ? {} : { refreshLeewaySeconds }),
  }
}

/** Of a row that the previous version wrote, which kept the derived and threw the meant away. */
function meantBy(metadata: ClientMetadata): Readonly<Record<string, unknown>> {
  const list = (name: string) => (metadata[name] ?? []) as readonly string[]
  const meant = {
    type: typeBy(metadata),
    redirectUris: list('redirect_uris'),
    postLogoutRedirectUris: list('post_logout_redirect_uris'),
    grantTypes: metadata['grant_types'] ?? ['authorization_code', 'refresh_token'],
    responseModes: metadata['response_modes'] ?? ['query', 'form_post'],
    authMethod: metadata['token_endpoint_auth_method'] ?? 'client_secret_basic',
    idTokenAlg: metadata['id_token_signed_response_alg'] ?? 'ES256',
    scopes: ((metadata['scope'] ?? '') as string)
      .split(' ')
      .filter((scope) => scope !== '' && scope !== ACCOUNT_SCOPE),
    resources: list('allowed_resources'),
    refreshRotation: metadata['refresh_rotation'] ?? 'always',
    jwks: metadata['jwks'],
    jwksUri: metadata['jwks_uri'],
    clientUri: metadata['client_uri'],
    logoUri: metadata['logo_uri'],
    policyUri: metadata['policy_uri'],
    tosUri: metadata['tos_uri'],
    backchannelLogoutUri: metadata['backchannel_logout_uri'],
  }
  return Object.fromEntries(Object.entries(meant).filter(([, value]) => value !== undefined))
}

function typeBy(metadata: ClientMetadata): ClientRegistration['type'] {
  const { response_types: answers, application_type: application } = metadata
  if (Array.isArray(answers) && answers.length === 0) return 'service'
  if (application === 'native') return 'native'
  return metadata['token_endpoint_auth_method'] === 'none' ? 'spa' : 'web'
}
