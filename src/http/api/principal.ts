import type { Context, Middleware } from 'koa'
import type { Caller } from '../../accounts/factors/step-up.ts'
import type { LiveSession } from '../../accounts/sessions/live-sessions.ts'
import type { Sessions } from '../../accounts/sessions/sessions.ts'
import { AppError } from '../../errors.ts'
import { API_CLIENT_ID } from '../../oidc/clients/built-in-clients.ts'
import type { AccessTokens, ApiToken } from '../../oidc/tokens/access-tokens.ts'

/** A person, by a client within a live session. */
export interface Person extends LiveSession, Caller {
  readonly kind: 'person'
  readonly scopes: readonly string[]
}

/** A client that acts for nobody but itself. */
export interface Service {
  readonly kind: 'service'
  readonly clientId: string
  readonly scopes: readonly string[]
}

/**
 * Who is calling, as a verified token and, of a person, a live session say; nothing else in a
 * request names who acts (IN-05).
 */
export type Principal = Person | Service

export interface PrincipalDeps {
  readonly accessTokens: Pick<AccessTokens, 'verify'>
  readonly sessions: Pick<Sessions, 'findLive'>
}

/** One scheme, one space, one token: no list, no second space, no tab (TK-08). */
const AUTHORIZATION = /^Bearer ([\w.-]+)$/i

/** What a door says to who may not enter; `realm` names the door. */
export function bearerScheme(realm: string) {
  const challenge = (ctx: Context, detail = ''): void =>
    ctx.set('WWW-Authenticate', `Bearer realm="${realm}"${detail}`)
  const unauthorized = (ctx: Context): AppError => {
    challenge(ctx, ctx.headers.authorization === undefined ? '' : ', error="invalid_token"')
    return new AppError('invalid_token')
  }
  /**
   * Lets through what carries a token at all, good or not: a page of another site cannot make a
   * browser send one.
   */
  const bearsToken: Middleware = (ctx, next) => {
    if (!AUTHORIZATION.test(ctx.headers.authorization ?? '')) throw unauthorized(ctx)
    return next()
  }
  return { challenge, unauthorized, bearsToken }
}

/**
 * Who the token of a request speaks for, if it is a live one and `admits` says that its client may
 * call this API.
 */
export async function findPrincipal(
  ctx: Context,
  { accessTokens, sessions }: PrincipalDeps,
  admits: (token: ApiToken) => Promise<boolean>,
): Promise<Principal | undefined> {
  const value = AUTHORIZATION.exec(ctx.headers.authorization ?? '')?.[1]
  const token = value ? await accessTokens.verify(value) : undefined
  if (!token || !(await admits(token))) return undefined
  const { clientId, scopes } = token
  if (token.kind === 'service') return { kind: 'service', clientId, scopes }
  const { accountId, sessionId } = token
  const session = await sessions.findLive(sessionId, accountId)
  const isOwnSignIn = clientId === API_CLIENT_ID
  return (
    session && { ...session, kind: 'person', accountId, sessionId, clientId, scopes, isOwnSignIn }
  )
}
