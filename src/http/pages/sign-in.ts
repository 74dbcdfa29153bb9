import { randomBytes } from 'node:crypto'
import type { Context } from 'koa'
import { sha256 } from '../../crypto/token.ts'
import { ACCOUNT_CLIENT_ID, accountCallback } from '../../oidc/clients/built-in-clients.ts'
import { ENDPOINTS } from '../../oidc/endpoints.ts'

/**
 * Where the account pages may send a person back to after signing in; anything else becomes the
 * account's front page (WB-06).
 */
export function safeReturnPath(path: unknown): string {
  return typeof path === 'string' && /^\/account(\/[a-z-]+)*$/.test(path) ? path : '/account'
}

export interface SignInWish {
  readonly issuer: string
  readonly returnTo?: string
  /** Sign-up page first. */
  readonly prompt?: 'create' | 'login' | 'select_account'
  /** Authentication must not be older (seconds); how sensitive actions ask again (SE-10, UX-36). */
  readonly maxAgeSeconds?: number
  readonly loginHint?: string
}

/**
 * The account pages sign people in through the authorization endpoint, like every other app, so
 * that there is one sign-in. They need no token: the callback drops the code and relies on the
 * session, hence a verifier that nobody keeps.
 */
export function authorizationUrl({
  issuer,
  returnTo,
  prompt,
  maxAgeSeconds,
  loginHint,
}: SignInWish): string {
  const params = new URLSearchParams({
    client_id: ACCOUNT_CLIENT_ID,
    redirect_uri: accountCallback(issuer),
    response_type: 'code',
    scope: 'openid',
    state: safeReturnPath(returnTo),
    code_challenge: sha256(randomBytes(32).toString('base64url')).toString('base64url'),
    code_challenge_method: 'S256',
    ...(prompt ? { prompt } : {}),
    ...(maxAgeSeconds === undefined ? {} : { max_age: String(maxAgeSeconds) }),
    ...(loginHint ? { login_hint: loginHint } : {}),
  })
  return `${ENDPOINTS.authorization.path}?${params.toString()}`
}

/** What a link to `/login` may carry along. */
export function wishOf(ctx: Context, issuer: string): SignInWish {
  const { return_to: returnTo, login_hint: loginHint } = ctx.query
  return {
    issuer,
    returnTo: safeReturnPath(returnTo),
    ...(typeof loginHint === 'string' ? { loginHint: loginHint.slice(0, 254) } : {}),
  }
}
