import { z } from 'zod'
import { LIFETIMES } from '../config/limits.ts'
import { AppError } from '../errors.ts'
import { isPublicHttps } from '../public-url.ts'
import { isVisible } from '../visible-text.ts'
import { checkJwks } from './jwks.ts'
import { checkRedirectUri } from './redirect-uri.ts'
import { SCOPE } from './scopes.ts'

const MAX_URIS = 50

/**
 * Text that is shown to people: no control characters, line breaks or marks that turn the reading
 * direction.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const UNSHOWABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/
export const displayName = z
  .string()
  .min(1)
  .max(100)
  .refine(
    (text) => text.trim() === text && isVisible(text) && !UNSHOWABLE.test(text),
    'contains characters that cannot be shown',
  )

const httpsUrl = z
  .string()
  .max(2000)
  .refine(
    (text) => isPublicHttps(text),
    'must be an https URL with a public host name and a port of the web',
  )

const uris = z
  .array(z.string())
  .max(MAX_URIS, `must be at most ${MAX_URIS}`)
  .refine((list) => new Set(list).size === list.length, 'must not repeat a URI')

export const GRANT_TYPES = ['authorization_code', 'refresh_token', 'client_credentials'] as const
export const AUTH_METHODS = [
  'none',
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
] as const

export const ROTATIONS = ['always', 'never'] as const

/** What may be said when a client is registered. Unknown members are errors (IN-01, CL-02). */
const ClientSchema = z.strictObject({
  name: displayName,
  type: z.enum(['web', 'spa', 'native', 'service']).default('web'),
  redirectUris: uris.default([]),
  postLogoutRedirectUris: uris.default([]),
  grantTypes: z.array(z.enum(GRANT_TYPES)).min(1).optional(),
  responseModes: z
    .array(z.enum(['query', 'fragment', 'form_post']))
    .min(1)
    .default(['query', 'form_post']),
  authMethod: z.enum(AUTH_METHODS).optional(),
  jwks: z.unknown().optional(),
  jwksUri: httpsUrl.optional(),
  /**
   * All scopes it may ever ask for, of the person and of APIs. Default: the usual ones and all of
   * the named APIs.
   */
  scopes: z.array(z.string().regex(SCOPE, 'is not a scope name')).max(50).optional(),
  /** Identifiers of the APIs that it may get tokens for (RFC 8707). */
  resources: z.array(z.string().max(512)).max(50).default([]),
  isFirstParty: z.boolean().default(false),
  requireMfa: z.boolean().default(false),
  /** People may let it manage their account; the person is asked each time something sensitive is done. */
  accountApi: z.boolean().default(false),
  refreshLeewaySeconds: z.number().int().min(0).max(60).optional(),
  /** Whether a refresh gives a new refresh token and ends the old one (RFC 9700 4.14.2). */
  refreshRotation: z.enum(ROTATIONS).default('always'),
  idTokenAlg: z.enum(['ES256', 'RS256', 'PS256', 'EdDSA']).default('ES256'),
  clientUri: httpsUrl.optional(),
  logoUri: httpsUrl.optional(),
  policyUri: httpsUrl.optional(),
  tosUri: httpsUrl.optional(),
  backchannelLogoutUri: httpsUrl.optional(),
})

export type ClientInput = z.input<typeof ClientSchema>
type Parsed = z.output<typeof ClientSchema>
export type CheckedClient = Parsed & {
  readonly grantTypes: readonly string[]
  readonly authMethod: string
}

/** Throws `invalid_input` with the reason for each field that is wrong. */
export function parseClient(input: unknown): CheckedClient {
  const parsed = ClientSchema.safeParse(input)
  if (!parsed.success)
    throw new AppError('invalid_input', {
      fields: { ...faultyUris(input), ...reasons(parsed.error) },
    })
  const wanted = {
    ...parsed.data,
    grantTypes: parsed.data.grantTypes ?? usualGrants(parsed.data.type),
    authMethod: parsed.data.authMethod ?? usualAuth(parsed.data.type),
  }
  const faults = { ...faultyUris(wanted), ...contradictions(wanted) }
  const keys = wanted.jwks === undefined ? undefined : checkJwks(wanted.jwks)
  if (keys && 'refused' in keys) faults['jwks'] = keys.refused
  if (Object.keys(faults).length > 0) throw new AppError('invalid_input', { fields: faults })
  return keys && 'jwks' in keys ? { ...wanted, jwks: keys.jwks } : wanted
}

/** One reason a field, named by its path. */
export function reasons(error: z.ZodError): Record<string, string> {
  const named = error.issues.map(
    (issue) =>
      [
        issue.path.join('.') ||
          (issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : 'input'),
        issue.message,
      ] as const,
  )
  return Object.fromEntries(named.toReversed())
}

const usualGrants = (type: Parsed['type']): (typeof GRANT_TYPES)[number][] =>
  type === 'service' ? ['client_credentials'] : ['authorization_code', 'refresh_token']
const usualAuth = (type: Parsed['type']): (typeof AUTH_METHODS)[number] =>
  type === 'web' || type === 'service' ? 'client_secret_basic' : 'none'

const Uris = z.object({
  type: ClientSchema.shape.type.catch('web'),
  redirectUris: z.array(z.string()).catch([]),
  postLogoutRedirectUris: z.array(z.string()).catch([]),
})

/** Says what is wrong with each URI, whatever else is wrong. */
function faultyUris(input: unknown): Record<string, string> {
  const { success, data } = Uris.safeParse(input)
  if (!success) return {}
  const { type, ...lists } = data
  const faults: Record<string, string> = {}
  for (const [field, list] of Object.entries(lists))
    for (const [index, uri] of list.entries()) {
      const reason = checkRedirectUri(uri, type)
      if (reason) faults[`${field}.${index}`] = reason
    }
  return faults
}

/** What fits each field but not the others. */
function contradictions(wanted: CheckedClient): Record<string, string> {
  const {
    type,
    redirectUris,
    grantTypes,
    authMethod,
    jwks,
    jwksUri,
    refreshLeewaySeconds = 0,
    refreshRotation,
  } = wanted
  const faults: Record<string, string> = {}
  const isPublic = authMethod === 'none'
  const hasKeys = jwks !== undefined || jwksUri !== undefined
  const refuse = (when: boolean, field: string, reason: string): void => {
    if (when) faults[field] ??= reason
  }
  refuse(
    type === 'service' && redirectUris.length > 0,
    'redirectUris',
    'a service has no person to send back',
  )
  refuse(type !== 'service' && redirectUris.length === 0, 'redirectUris', 'at least one is needed')
  refuse(
    type === 'service' && wanted.accountApi,
    'accountApi',
    'a service has no person whose account it could manage',
  )
  refuse(
    type === 'service' && grantTypes.join() !== 'client_credentials',
    'grantTypes',
    'a service uses client_credentials only',
  )
  refuse(
    type !== 'service' && !grantTypes.includes('authorization_code'),
    'grantTypes',
    'must include authorization_code',
  )
  refuse(
    isPublic && grantTypes.includes('client_credentials'),
    'grantTypes',
    'client_credentials needs a client that can keep a secret',
  )
  refuse(
    isPublic && (type === 'web' || type === 'service'),
    'authMethod',
    `a ${type} client must authenticate`,
  )
  refuse(
    !isPublic && (type === 'spa' || type === 'native'),
    'authMethod',
    `must be none: what a ${type} app holds, anyone can read`,
  )
  refuse(
    authMethod === 'private_key_jwt' && (jwks === undefined) === (jwksUri === undefined),
    'jwks',
    'private_key_jwt needs either jwks or jwksUri',
  )
  refuse(authMethod !== 'private_key_jwt' && hasKeys, 'jwks', 'is for private_key_jwt only')
  const longest = LIFETIMES.refreshLeewayPublic
  refuse(
    isPublic && refreshLeewaySeconds > longest,
    'refreshLeewaySeconds',
    `at most ${longest} for a client that does not authenticate: whoever has its token may repeat a refresh as long`,
  )
  refuse(
    isPublic && refreshRotation === 'never',
    'refreshRotation',
    'must be always for a client that does not authenticate: only rotation tells that its token was stolen',
  )
  const isUnproven = isPublic && !redirectUris.some((uri) => uri.startsWith('https:'))
  refuse(
    wanted.isFirstParty && isUnproven,
    'isFirstParty',
    'needs a client that authenticates or an https redirect URI: anyone can pose as this one',
  )
  return faults
}
