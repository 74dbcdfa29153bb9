import type { KoaContextWithOIDC } from 'oidc-provider'

/** What a code or refresh token knows of the sign-in that it came of. */
interface Source {
  readonly acr?: string | undefined
  readonly authTime?: number | undefined
}

/** What access tokens of a person say of it (RFC 9470 6). A refresh repeats it: it is no sign-in. */
export interface Authentication {
  readonly acr?: string
  readonly auth_time?: number
}

const sources = new WeakMap<object, Source>()

/** Where the engine's own grants do not make the token: tells what it comes of. */
export function comingOf<Token extends object>(token: Token, source: Source): Token {
  sources.set(token, source)
  return token
}

export function authenticationOf(
  ctx: KoaContextWithOIDC | undefined,
  token: object,
): Authentication {
  const { RefreshToken, AuthorizationCode } = ctx?.oidc?.entities ?? {}
  const { acr, authTime } = sources.get(token) ?? RefreshToken ?? AuthorizationCode ?? {}
  return saying(acr, authTime)
}

export function saying(acr: unknown, authTime: unknown): Authentication {
  return {
    ...(typeof acr === 'string' ? { acr } : {}),
    ...(typeof authTime === 'number' ? { auth_time: authTime } : {}),
  }
}
