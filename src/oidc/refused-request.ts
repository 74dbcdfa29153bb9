import { decodeJwt } from 'jose'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Lack, RefusedRequest } from '../clients/needed-switch.ts'
import { type AUTH_METHODS, GRANT_TYPES } from '../clients/registration.ts'
import { LIFETIMES } from '../config/limits.ts'
import { askedAt } from './authorization/requests.ts'
import { ENDPOINTS } from './endpoints.ts'
import { param } from './param.ts'
import { hasNonce } from './pkce.ts'

/** What the engine, or we, say of a request that a switch may let through. */
const AT_AUTH: Readonly<Record<string, Lack>> = {
  'Authorization Server policy requires PKCE to be used for this request': 'code_challenge',
  'requested response_mode is not allowed for this client or request': 'response_mode',
  "redirect_uri did not match any of the client's registered redirect_uris": 'redirect_uri',
}
const AT_TOKEN: readonly (readonly [RegExp, Reader])[] = [
  [
    /^the provided authentication mechanism does not match/,
    (ctx) => ({ lack: 'auth_method', authMethod: methodOf(ctx) }),
  ],
  [/^audience \(aud\) must equal/, audience],
  [/^expiration \(exp\) must be at most|^issued at \(iat\) must be there/, life],
  [/^requested grant type is not allowed/, grantType],
]

type Reader = (ctx: KoaContextWithOIDC) => RefusedRequest | undefined

interface Explained extends Error {
  readonly error_description?: string
  readonly error_detail?: string
}

export function refusedAuthorization(
  ctx: KoaContextWithOIDC,
  { error_description: description = '' }: Explained,
): RefusedRequest | undefined {
  const { client } = ctx.oidc
  const params = askedAt(ctx)
  const lack = AT_AUTH[description]
  const redirectUri = param(params, 'redirect_uri')
  if (!lack || !client) return undefined
  if (lack === 'redirect_uri') return redirectUri ? { lack, redirectUri } : undefined
  if (!client.redirectUriAllowed(redirectUri)) return undefined
  const responseMode = param(params, 'response_mode')
  return { lack, redirectUri, responseMode, hasNonce: hasNonce(client, params) }
}

export function refusedTokenRequest(
  ctx: KoaContextWithOIDC,
  { error_detail: detail, error_description: description }: Explained,
): RefusedRequest | undefined {
  const [, read] = AT_TOKEN.find(([says]) => says.test(detail ?? description ?? '')) ?? []
  return read?.(ctx)
}

function grantType({ oidc }: KoaContextWithOIDC): RefusedRequest | undefined {
  const asked = GRANT_TYPES.find((each) => each === param(oidc.params, 'grant_type'))
  return asked && { lack: 'grant_type', grantType: asked }
}

function audience(ctx: KoaContextWithOIDC): RefusedRequest {
  const { aud } = assertionOf(ctx)
  const endpoint = ctx.oidc.issuer + ENDPOINTS.token.path
  return { lack: 'assertion_audience', isForEndpoint: [aud].flat().join() === endpoint }
}

function life(ctx: KoaContextWithOIDC): RefusedRequest {
  const { exp = Number.NaN, iat = Number.NaN } = assertionOf(ctx)
  const isOk = exp - iat > 0 && exp - iat <= LIFETIMES.clientAssertion
  const seconds = Math.max(60, Math.ceil(exp - iat))
  return { lack: 'assertion_seconds', ...(isOk ? { seconds } : {}) }
}

/** How it tried to authenticate. */
function methodOf(ctx: KoaContextWithOIDC): (typeof AUTH_METHODS)[number] {
  const { params } = ctx.oidc
  if (param(params, 'client_assertion')) return 'private_key_jwt'
  if (ctx.headers.authorization?.startsWith('Basic ')) return 'client_secret_basic'
  return param(params, 'client_secret') ? 'client_secret_post' : 'none'
}

/** What it says, proven or not. */
function assertionOf(ctx: KoaContextWithOIDC) {
  try {
    return decodeJwt(param(ctx.oidc.params, 'client_assertion'))
  } catch {
    return {}
  }
}
