import { z } from 'zod'
import { CLIENT_LIFETIMES, LIFETIMES } from '../config/limits.ts'
import { REGISTRATION_MODES } from '../config/registration-modes.ts'
import { FIRST_METHODS, LEVELS } from '../config/sign-in-words.ts'
import { isPublicHttps } from '../public-url.ts'
import { displayName } from './display-name.ts'
import { groupName } from './group-name.ts'
import { NativeAppSchema } from './native-app.ts'
import { saying } from './reasons.ts'
import { SCOPE } from './scopes.ts'

const MAX_URIS = 50

const httpsUrl = z
  .string()
  .max(2000)
  .refine((text) => isPublicHttps(text), saying('not_public_https'))

const uris = z
  .array(z.string())
  .max(MAX_URIS)
  .refine((list) => new Set(list).size === list.length, {
    message: saying('repeated'),
    params: { what: 'a URI' },
  })

const seconds = ({ min, max }: { min: number; max: number }) => z.number().int().min(min).max(max)

export const TYPES = ['web', 'spa', 'native', 'service'] as const
export const GRANT_TYPES = ['authorization_code', 'refresh_token', 'client_credentials'] as const
export const AUTH_METHODS = [
  'none',
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
] as const
export const ASSERTION_AUDIENCES = ['issuer', 'token-endpoint'] as const
export const RESPONSE_MODES = ['query', 'fragment', 'form_post'] as const
export const PKCE = ['required', 'or_nonce', 'optional'] as const
export const ID_TOKEN_CLAIMS = ['minimal', 'scope'] as const
export const ROTATIONS = ['always', 'never'] as const
export const ID_TOKEN_ALGS = ['ES256', 'RS256', 'PS256', 'EdDSA'] as const

/** What may be said when a client is registered. Unknown members are errors (IN-01, CL-02). */
export const ClientSchema = z.strictObject({
  name: displayName,
  type: z.enum(TYPES).default('web'),
  redirectUris: uris.default([]),
  postLogoutRedirectUris: uris.default([]),
  /** Both may be plain http where no certificate can be had: in private networks. */
  allowPrivateRedirect: z.boolean().default(false),
  grantTypes: z.array(z.enum(GRANT_TYPES)).min(1).optional(),
  responseModes: z.array(z.enum(RESPONSE_MODES)).min(1).default(['query', 'form_post']),
  authMethod: z.enum(AUTH_METHODS).optional(),
  /**
   * Whether every request has a `code_challenge`; a `nonce` may stand in for it, or nothing at all
   * (RFC 9700 2.1.1). One that was sent has to be proven in any case.
   */
  pkce: z.enum(PKCE).default('required'),
  jwks: z.unknown().optional(),
  jwksUri: httpsUrl.optional(),
  /** Whom its assertions may name besides the issuer (RFC 7523 3): many libraries name the endpoint. */
  assertionAudience: z.enum(ASSERTION_AUDIENCES).optional(),
  /** How long its assertions may live, counted from `iat`. */
  assertionSeconds: z.number().int().min(60).max(LIFETIMES.clientAssertion).optional(),
  /**
   * All scopes it may ever ask for, of the person and of APIs. Default: the usual ones and all of
   * the named APIs.
   */
  scopes: z
    .array(z.string().regex(SCOPE, saying('bad_scope_name')))
    .max(50)
    .optional(),
  /** What a request without any scope asks for; default: `openid`, and nothing for a service. */
  defaultScopes: z.array(z.string()).min(1).max(50).optional(),
  /** Identifiers of the APIs that it may get tokens for (RFC 8707). */
  resources: z.array(z.string().max(512)).max(50).default([]),
  /**
   * The groups that it may see somebody to be in, with scope `groups`. Default: none, or all for the
   * operator's own app.
   */
  groups: z.array(groupName).max(200).optional(),
  isFirstParty: z.boolean().default(false),
  /** The older name of `requireAcr: '2fa'`. */
  requireMfa: z.boolean().default(false),
  /** Who may make an account on its pages, where that is fewer than the server admits. */
  registration: z.enum(REGISTRATION_MODES).default('open'),
  /** What a sign-in to it must reach, were the operator content with less. */
  requireAcr: z.enum(['2fa', 'phr']).optional(),
  /** What it asks for in a request that names no class, by preference. */
  defaultAcrValues: z.array(z.enum(LEVELS)).min(1).max(LEVELS.length).optional(),
  /** The ways in that it takes, of those that the operator offers; default: all. */
  signInMethods: z.array(z.enum(FIRST_METHODS)).min(1).max(FIRST_METHODS.length).optional(),
  /** The other providers that it takes people from; default: all. */
  providers: z.array(z.string().max(40)).max(50).optional(),
  /** People may let it manage their account; the person is asked each time something sensitive is done. */
  accountApi: z.boolean().default(false),
  /** Apps on phones that make and use passkeys of this server. */
  nativeApps: z.array(NativeAppSchema).min(1).max(20).optional(),
  refreshLeewaySeconds: z.number().int().min(0).max(60).optional(),
  /** Default: as long as usual. */
  accessTokenSeconds: seconds(CLIENT_LIFETIMES.accessToken).optional(),
  /** How long a refresh token lives that is not used; default: as long as usual. */
  refreshIdleSeconds: seconds(CLIENT_LIFETIMES.refreshIdle).optional(),
  /** Whether a refresh gives a new refresh token and ends the old one (RFC 9700 4.14.2). */
  refreshRotation: z.enum(ROTATIONS).default('always'),
  /** What OpenID Connect takes for granted, and most libraries with it. */
  idTokenAlg: z.enum(ID_TOKEN_ALGS).default('RS256'),
  /** Of introspection answers that it asks for as a JWT (RFC 9701); RS256 unless it says otherwise. */
  introspectionAlg: z.enum(ID_TOKEN_ALGS).optional(),
  /** Whether its ID tokens say what userinfo says, for apps that never ask it (OIDC Core 5.4). */
  idTokenClaims: z.enum(ID_TOKEN_CLAIMS).default('minimal'),
  /** Ties its ID tokens to the access token that came along (OIDC Core 3.1.3.6). */
  atHash: z.boolean().default(false),
  clientUri: httpsUrl.optional(),
  logoUri: httpsUrl.optional(),
  policyUri: httpsUrl.optional(),
  tosUri: httpsUrl.optional(),
  backchannelLogoutUri: z.string().max(2000).optional(),
  /** It is told of a sign-out by http, in a private network. */
  backchannelHttp: z.boolean().default(false),
})

/** What an operator says. The rest is as usual for the type. */
export type ClientInput = z.input<typeof ClientSchema>
export const CLIENT_FIELDS = Object.keys(ClientSchema.shape) as (keyof ClientInput)[]

type Parsed = z.output<typeof ClientSchema>
type With<Field extends keyof Parsed> = {
  readonly [Given in Field]: NonNullable<Parsed[Given]>
}
/** What was meant, checked, with what was left out but for the scopes, which depend on its APIs. */
export type CheckedClient = Parsed & With<'grantTypes' | 'authMethod'>
/**
 * A client as it was meant: all that the operator chose, or left as it was usual at that time. It
 * is what is stored, shown and changed; what the protocol reads is derived from it.
 */
export type ClientRegistration = CheckedClient & With<'scopes'>
