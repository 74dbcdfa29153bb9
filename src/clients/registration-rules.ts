import { LIFETIMES } from '../config/limits.ts'
import type { Reason, ReasonCode, ReasonValues } from './reasons.ts'
import { redirectKind } from './redirect-kind.ts'
import type { CheckedClient } from './registration.ts'
import { ACCOUNT_SCOPE } from './scopes.ts'

/** What an app gets only if it asks for it by name. */
const BY_NAME = ['offline_access', ACCOUNT_SCOPE]

/** What fits each field but not the others: the first reason for each. */
export function contradictions(wanted: CheckedClient): Record<string, Reason> {
  const faults: Record<string, Reason> = {}
  const refuse = (when: boolean, field: string, code: ReasonCode, values?: ReasonValues): void => {
    if (when) faults[field] ??= { code, ...(values ? { values } : {}) }
  }
  const { type, redirectUris, grantTypes, authMethod, jwks, jwksUri } = wanted
  const isService = type === 'service'
  const isPublic = authMethod === 'none'
  const isKeyed = authMethod === 'private_key_jwt'

  refuse(isService && redirectUris.length > 0, 'redirectUris', 'service_redirect')
  refuse(!isService && redirectUris.length === 0, 'redirectUris', 'redirect_needed')
  refuse(isService && wanted.accountApi, 'accountApi', 'service_account')
  for (const field of ['requireAcr', 'defaultAcrValues', 'signInMethods', 'providers'] as const)
    refuse(isService && wanted[field] !== undefined, field, 'service_sign_in')
  const hasApps = wanted.nativeApps !== undefined
  refuse(hasApps && !wanted.isFirstParty, 'nativeApps', 'foreign_native_app')

  const isOnly = grantTypes.join() === 'client_credentials'
  refuse(isService && !isOnly, 'grantTypes', 'service_grants')
  refuse(!isService && !grantTypes.includes('authorization_code'), 'grantTypes', 'code_needed')
  const asItself = grantTypes.includes('client_credentials')
  refuse(isPublic && asItself, 'grantTypes', 'secretless_service_grant')
  const unnamed = wanted.defaultScopes?.find((scope) => BY_NAME.includes(scope))
  refuse(unnamed !== undefined, 'defaultScopes', 'default_by_name', { scope: unnamed ?? '' })

  const hasBackend = type === 'web' || isService
  refuse(isPublic && hasBackend, 'authMethod', 'must_authenticate', { type })
  refuse(!isPublic && !hasBackend, 'authMethod', 'cannot_authenticate', { type })
  refuse(isKeyed && (jwks === undefined) === (jwksUri === undefined), 'jwks', 'keys_needed')
  refuse(!isKeyed && (jwks !== undefined || jwksUri !== undefined), 'jwks', 'keys_unused')
  const { assertionAudience, assertionSeconds } = wanted
  refuse(!isKeyed && assertionAudience !== undefined, 'assertionAudience', 'keys_unused')
  refuse(!isKeyed && assertionSeconds !== undefined, 'assertionSeconds', 'keys_unused')

  const mayLackPkce = wanted.pkce !== 'required'
  const hasHttps = redirectUris.some((uri) => redirectKind(uri) === 'https')
  refuse(isPublic && mayLackPkce, 'pkce', 'pkce_of_public')
  refuse(!hasHttps && mayLackPkce, 'pkce', 'pkce_without_https')
  const isUntied = wanted.pkce === 'optional' && wanted.responseModes.includes('fragment')
  refuse(isUntied, 'responseModes', 'fragment_without_pkce')

  const { refreshLeewaySeconds = 0, refreshRotation } = wanted
  const max = LIFETIMES.refreshLeewayPublic
  const isLong = refreshLeewaySeconds > max
  refuse(isPublic && isLong, 'refreshLeewaySeconds', 'leeway_of_public', { max })
  refuse(isPublic && refreshRotation === 'never', 'refreshRotation', 'rotation_of_public')

  refuse(isPublic && wanted.allowPrivateRedirect, 'allowPrivateRedirect', 'private_of_public')
  const isPlain = wanted.backchannelLogoutUri?.startsWith('http:') ?? false
  refuse(wanted.backchannelHttp && !isPlain, 'backchannelHttp', 'plain_unused')

  const isUnproven = isPublic && !hasHttps
  refuse(wanted.isFirstParty && isUnproven, 'isFirstParty', 'unproven_first_party')
  return faults
}

/** What may not be in one list, of URIs that are right one by one. */
export function mixture(wanted: CheckedClient): Record<string, Reason> {
  const { authMethod, redirectUris, postLogoutRedirectUris } = wanted
  const kinds = new Set([...redirectUris, ...postLogoutRedirectUris].map(redirectKind))
  if (authMethod === 'none' || !kinds.has('scheme')) return {}
  if (kinds.has('private')) return { redirectUris: { code: 'scheme_and_private' } }
  const hasHttps = redirectUris.some((uri) => redirectKind(uri) === 'https')
  if (hasHttps && !kinds.has('loopback')) return {}
  return { redirectUris: { code: 'scheme_beside_https' } }
}
