/** Scopes that speak of the person (OIDC Core 5.4); all others belong to a registered API. */
export const OIDC_SCOPES = [
  'openid',
  'profile',
  'email',
  'phone',
  'address',
  'groups',
  'offline_access',
] as const
export type OidcScope = (typeof OIDC_SCOPES)[number]

export function isOidcScope(scope: string): scope is OidcScope {
  return (OIDC_SCOPES as readonly string[]).includes(scope)
}

/** What an app may ask for unless told otherwise: who the person is, and to stay signed in. */
export const DEFAULT_SCOPES: readonly OidcScope[] = ['openid', 'profile', 'email', 'offline_access']

/** `scope-token` of RFC 6749 3.3. */
export const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/
/** `scope` of RFC 6749 3.3. */
const SCOPES = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/

/** What is asked for, each once; undefined if it is no list of scopes. */
export function scopesIn(text: string): readonly string[] | undefined {
  return SCOPES.test(text) ? [...new Set(text.split(' '))] : undefined
}

/** Of the server's own API. */
export const ACCOUNT_SCOPE = 'account'
