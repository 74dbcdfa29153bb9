import type { Context, Middleware } from 'koa'
import { ACR } from '../../accounts/factors/levels.ts'
import type { Caller } from '../../accounts/factors/step-up.ts'
import type { LiveSession, Sessions } from '../../accounts/sessions/sessions.ts'
import { LIFETIMES } from '../../config/limits.ts'
import { AppError } from '../../errors.ts'
import { API_CLIENT_ID, API_SCOPE } from '../../oidc/clients/built-in-clients.ts'
import type { ClientDirectory } from '../../oidc/clients/directory.ts'
import type { AccessTokens, ApiToken } from '../../oidc/tokens/access-tokens.ts'

/**
 * Who is calling, as a verified token and a live session say; nothing else in a request names the
 * acting account (IN-05).
 */
export type Principal = LiveSession & Caller

export interface BearerAuthDeps {
  readonly accessTokens: AccessTokens
  readonly sessions: Sessions
  readonly directory: Pick<ClientDirectory, 'honours' | 'usesAccountApi'>
  readonly config: { readonly requireMfa: boolean }
}

const REALM = 'Bearer realm="account"'
/**
 * All that a recovery code opens where two factors are demanded: turning the lost one off, and
 * signing out (TF-11).
 */
const FOR_THE_RECOVERED = new Set([
  '/api/auth/disable/mfa',
  '/api/auth/verification',
  '/api/auth/user/logout',
  '/api/auth/user/logout-all',
])
/** One scheme, one space, one token: no list, no second space, no tab (TK-08). */
const AUTHORIZATION = /^Bearer ([\w.-]+)$/i

/**
 * Lets through what carries a token at all, good or not: a page of another site cannot make a
 * browser send one.
 */
export const bearsToken: Middleware = (ctx, next) => {
  if (!AUTHORIZATION.test(ctx.headers.authorization ?? '')) throw unauthorized(ctx)
  return next()
}

/**
 * Lets through who bears a live token with the scope; else 401 or 403 with `WWW-Authenticate` (RFC
 * 6750 3).
 */
export function bearerAuth(deps: BearerAuthDeps): Middleware {
  return async (ctx, next) => {
    const found = await findPrincipal(ctx, deps)
    if (!found) throw unauthorized(ctx)
    if (!found.hasScope) {
      challenge(ctx, `, error="insufficient_scope", scope="${API_SCOPE}"`)
      throw new AppError('forbidden')
    }
    if (
      deps.config.requireMfa &&
      found.principal.level === 'recovered' &&
      !FOR_THE_RECOVERED.has(ctx.path)
    )
      throw new AppError('mfa_required', { extra: { methods: [] } })
    ctx.state.principal = found.principal
    await next()
  }
}

/**
 * For those who are not signed in yet: a bearer of a live token is refused, whatever else is sent
 * as a token is ignored.
 */
export function publicOnly(deps: BearerAuthDeps): Middleware {
  return async (ctx, next) => {
    if (await findPrincipal(ctx, deps)) throw new AppError('already_signed_in')
    await next()
  }
}

/** Throws unless the route is behind `bearerAuth`. */
export function principalOf(ctx: Context): Principal {
  const principal = ctx.state.principal
  if (!principal) throw new Error('this route has no bearerAuth')
  return principal
}

/** Every 401 names a scheme (RFC 9110 15.5.2), also those that are about a password or a code. */
export function challenge(ctx: Context, detail = ''): void {
  ctx.set('WWW-Authenticate', `${REALM}${detail}`)
}

function unauthorized(ctx: Context): AppError {
  challenge(ctx, ctx.headers.authorization === undefined ? '' : ', error="invalid_token"')
  return new AppError('invalid_token')
}

/** What a proof at `/verification` must reach (RFC 9470 3). */
export function insufficientProof({ hasMfa }: Principal): string {
  const acr = hasMfa ? `, acr_values="${ACR.multiFactor}"` : ''
  return `, error="insufficient_user_authentication", max_age="${LIFETIMES.freshAuthentication}"${acr}`
}

async function findPrincipal(
  ctx: Context,
  deps: BearerAuthDeps,
): Promise<{ principal: Principal; hasScope: boolean } | undefined> {
  const value = AUTHORIZATION.exec(ctx.headers.authorization ?? '')?.[1]
  const token = value ? await deps.accessTokens.verify(value) : undefined
  if (!token || !(await isAdmitted(deps, token))) return undefined
  const session = await deps.sessions.findLive(token.sessionId, token.accountId)
  if (!session) return undefined
  // Where two factors are demanded, a sign-in with one has no API, as it has no pages (TF-11).
  if (deps.config.requireMfa && session.level === 'one') return undefined
  const { accountId, sessionId, clientId, hasScope } = token
  return {
    principal: {
      ...session,
      accountId,
      sessionId,
      clientId,
      isOwnSignIn: clientId === API_CLIENT_ID,
    },
    hasScope,
  }
}

/** Not of an app that was disabled since, or is not registered for this API any more. */
async function isAdmitted(
  { directory }: BearerAuthDeps,
  { clientId, issuedAt }: ApiToken,
): Promise<boolean> {
  return (await directory.honours(clientId, issuedAt)) && (await directory.usesAccountApi(clientId))
}
