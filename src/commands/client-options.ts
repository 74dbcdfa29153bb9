import {
  ASSERTION_AUDIENCES,
  AUTH_METHODS,
  type ClientInput,
  GRANT_TYPES,
  ID_TOKEN_ALGS,
  ID_TOKEN_CLAIMS,
  PKCE,
  RESPONSE_MODES,
  ROTATIONS,
  TYPES,
} from '../clients/registration.ts'
import { LIFETIMES } from '../config/limits.ts'
import { API_OPTION_NAMES } from './app-with-api.ts'
import type { FieldOption } from './field-option.ts'
import { readKeys } from './files.ts'
import { SIGN_IN_OPTIONS } from './sign-in-options.ts'

/** Every field of a client as an option of `create` and of `update`, in the order of their help. */
const OPTIONS: Readonly<Partial<Record<keyof ClientInput, FieldOption>>> = {
  name: {
    flags: '--name <name>',
    says: 'what people see when it asks to sign them in',
    isKept: true,
  },
  redirectUris: {
    flags: '--redirect <uri...>',
    says: 'where people are sent back to, exactly as the app sends it',
  },
  type: {
    flags: '--type <type>',
    says: 'what kind of app it is (default: web)',
    choices: TYPES,
    isKept: true,
  },
  postLogoutRedirectUris: {
    flags: '--post-logout-redirect <uri...>',
    says: 'where people may be sent after signing out',
  },
  allowPrivateRedirect: {
    flags: '--allow-private-redirect',
    says: 'both may be plain http in a private network (10.…, 192.168.…, *.local, *.lan, *.home.arpa)',
  },
  resources: {
    flags: '--resource <identifier...>',
    says: 'an API it may get access tokens for (see: resource create)',
  },
  scopes: {
    flags: '--scope <scope...>',
    says: 'all it may ever ask for; default: openid profile email offline_access, and all of its APIs',
    read: separated,
  },
  defaultScopes: {
    flags: '--default-scope <scope...>',
    says: 'what a request without any scope asks for (default: openid; a service: nothing)',
    read: separated,
  },
  groups: {
    flags: '--groups <group...>',
    says: 'the groups it may see people to be in, with scope groups (first party: all unless named)',
  },
  grantTypes: {
    flags: '--grant <type...>',
    says: 'grant types, if not the usual ones',
    choices: GRANT_TYPES,
  },
  authMethod: {
    flags: '--auth-method <method>',
    says: 'how it authenticates, if not the usual way',
    choices: AUTH_METHODS,
  },
  pkce: {
    flags: '--pkce <when>',
    says: 'whether it must send a code_challenge (default: required); or_nonce takes a nonce for it',
    choices: PKCE,
  },
  responseModes: {
    flags: '--response-mode <mode...>',
    says: 'how answers may reach it (default: query form_post); fragment only where it is needed',
    choices: RESPONSE_MODES,
  },
  jwks: {
    flags: '--jwks <file>',
    says: 'public keys for private_key_jwt: a JWKS, or one key or certificate as PEM',
    read: (path: string) => readKeys('--jwks', path),
  },
  jwksUri: { flags: '--jwks-uri <uri>', says: 'where its public keys are published' },
  assertionAudience: {
    flags: '--assertion-audience <audience>',
    says: 'whom its private_key_jwt assertions name (default: issuer); the issuer is always good',
    choices: ASSERTION_AUDIENCES,
  },
  assertionSeconds: {
    flags: '--assertion-seconds <seconds>',
    says: `how long they may live, counted from iat; at most ${LIFETIMES.clientAssertion} (default: 300 from now)`,
    read: Number,
  },
  ...SIGN_IN_OPTIONS,
  introspectionAlg: {
    flags: '--introspection-alg <alg>',
    says: 'signature of introspection answers that it asks for as a JWT (default: RS256)',
    choices: ID_TOKEN_ALGS,
  },
  idTokenAlg: {
    flags: '--id-token-alg <alg>',
    says: 'signature of its ID tokens (default: RS256); ES256 costs a tenth to sign',
    choices: ID_TOKEN_ALGS,
  },
  idTokenClaims: {
    flags: '--id-token-claims <which>',
    says: 'scope: its ID tokens say what userinfo says, too (default: minimal)',
    choices: ID_TOKEN_CLAIMS,
  },
  atHash: { flags: '--at-hash', says: 'its ID tokens have at_hash, for apps that demand it' },
  refreshLeewaySeconds: {
    flags: '--refresh-leeway <seconds>',
    says: 'how long a refresh token that was used gives the same answer again',
    read: Number,
  },
  accessTokenSeconds: {
    flags: '--access-token-lifetime <seconds>',
    says: 'how long its access tokens live (default: 600); of an API no longer than the API says',
    read: Number,
  },
  refreshIdleSeconds: {
    flags: '--refresh-idle <seconds>',
    says: 'how long a refresh token lives that is not used (default: 1209600)',
    read: Number,
  },
  refreshRotation: {
    flags: '--refresh-rotation <when>',
    says: 'whether a refresh gives a new refresh token (default: always)',
    choices: ROTATIONS,
  },
  clientUri: { flags: '--uri <uri>', says: 'its home page' },
  logoUri: {
    flags: '--logo <uri>',
    says: 'its logo: a PNG, JPEG or WebP picture of at most 256 kB, of which a copy is kept',
  },
  policyUri: { flags: '--privacy <uri>', says: 'its privacy policy' },
  tosUri: { flags: '--terms <uri>', says: 'its terms' },
  backchannelLogoutUri: {
    flags: '--backchannel-logout <uri>',
    says: 'where it is told that a person has signed out',
  },
  backchannelHttp: {
    flags: '--backchannel-http',
    says: 'that address is plain http, in a network of OUTGOING_PRIVATE_NETWORKS',
  },
}

function separated(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(' ').filter(Boolean))
}

export const FIELD_OPTIONS = Object.entries(OPTIONS) as [keyof ClientInput, FieldOption][]
export const longOf = ({ flags }: FieldOption): string => flags.split(' ')[0] ?? flags

/** The options by the fields, so that a refusal names what was typed. */
export const OPTION_NAMES: Readonly<Record<string, string>> = Object.fromEntries([
  ['id', '--id'],
  ...Object.entries(API_OPTION_NAMES),
  ['label', '--label'],
  ['expiresAt', '--days'],
  ...FIELD_OPTIONS.map(([field, option]) => [field, longOf(option)]),
])
