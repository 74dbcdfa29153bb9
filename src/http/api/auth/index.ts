import Router from '@koa/router'
import type { Middleware } from 'koa'
import compose from 'koa-compose'
import type { LimitName } from '../../../config/limits.ts'
import { AppError } from '../../../errors.ts'
import type { FaultLog } from '../../../fault-log.ts'
import {
  type BearerAuthDeps,
  bearerAuth,
  bearsToken,
  challenge,
  insufficientProof,
  principalOf,
  publicOnly,
} from '../../middleware/bearer-auth.ts'
import { jsonBody, jsonOnly } from '../../middleware/body.ts'
import { errorHandler } from '../../middleware/errors.ts'
import { issuerHostOnly } from '../../middleware/host.ts'
import { presentJson } from '../../middleware/json-errors.ts'
import type { RateLimit } from '../../middleware/rate-limit.ts'
import { type AccountDeps, deleteAccount, exportAccount, listActivity } from './account.ts'
import { type AppsDeps, listApps, revokeApp } from './apps.ts'
import { call, twoCalls } from './call.ts'
import { type EmailDeps, editEmail } from './email.ts'
import { disableMfa, enableMfa, type MfaDeps, regenerateRecoveryCodes } from './mfa.ts'
import { editPassword, forgotPassword, type PasswordDeps } from './password.ts'
import { editBasic, me, type ProfileDeps } from './profile.ts'
import * as body from './schemas.ts'
import { endSession, listSessions, logout, logoutAll, type SessionsDeps } from './sessions.ts'
import { refresh, type SignInDeps, signIn } from './sign-in.ts'
import { resend, type SignUpDeps, signUp, verifyEmail } from './sign-up.ts'
import { type VerificationDeps, verify } from './verification.ts'

export const PREFIX = '/api/auth'

export interface AuthApiDeps
  extends BearerAuthDeps,
    SignUpDeps,
    SignInDeps,
    MfaDeps,
    ProfileDeps,
    EmailDeps,
    PasswordDeps,
    SessionsDeps,
    AppsDeps,
    VerificationDeps,
    AccountDeps {
  readonly issuer: string
  readonly faults: FaultLog
}

/**
 * The JSON door: each line is a route with who may call it, its limit, and what is done. What a
 * page of another site can send (another media type, no body, no token) is refused before it is
 * counted: it would use up the limits of whoever looks at that page (SE-11).
 */
export function authRoutes(deps: AuthApiDeps, limit: RateLimit): Router {
  const json = jsonBody()
  const maybe = jsonBody({ isOptional: true })
  const anyone = (name: LimitName) => [jsonOnly(), limit(name), publicOnly(deps), json] as const
  const owner = (name: LimitName) =>
    [bearsToken, jsonOnly({ isOptional: true }), limit(name), bearerAuth(deps), json] as const
  const ownerMaybe = (name: LimitName) =>
    [bearsToken, jsonOnly({ isOptional: true }), limit(name), bearerAuth(deps), maybe] as const
  const ownerOnly = (name: LimitName) => [bearsToken, limit(name), bearerAuth(deps)] as const
  const router = new Router({ prefix: PREFIX, strict: true, sensitive: true })

  router.post('/sign-up/email', ...anyone('sign-up'), call(body.SignUp, signUp(deps)))
  router.post('/verify/email', ...anyone('verify'), call(body.VerifyEmail, verifyEmail(deps)))
  router.post('/resend/verify/email', ...anyone('resend'), call(body.Resend, resend(deps)))
  router.post('/sign-in/email', ...anyone('sign-in'), twoCalls(body.SignIn, signIn(deps)))
  router.post('/enable/mfa', ...owner('sensitive'), twoCalls(body.EnableMfa, enableMfa(deps)))
  router.post('/disable/mfa', ...owner('sensitive'), twoCalls(body.DisableMfa, disableMfa(deps)))
  router.patch('/edit/basic', ...owner('account'), call(body.EditBasic, editBasic(deps)))
  router.patch('/edit/email', ...owner('sensitive'), twoCalls(body.EditEmail, editEmail(deps)))
  router.patch(
    '/edit/password',
    ...owner('sensitive'),
    twoCalls(body.EditPassword, editPassword(deps)),
  )
  router.patch(
    '/forgot/password',
    ...anyone('forgot'),
    twoCalls(body.ForgotPassword, forgotPassword(deps)),
  )
  router.post('/user/me', ...ownerMaybe('account'), call(body.Empty, me(deps)))
  router.delete('/user/logout', ...ownerOnly('account'), call(body.Empty, logout(deps)))
  router.delete('/user/logout-all', ...ownerOnly('account'), call(body.Empty, logoutAll(deps)))
  router.patch(
    '/user/refresh',
    jsonOnly(),
    limit('refresh'),
    json,
    call(body.Refresh, refresh(deps)),
  )

  router.get('/user/sessions', ...ownerOnly('account'), call(body.Empty, listSessions(deps)))
  router.delete('/user/sessions/:id', ...ownerOnly('account'), call(body.Empty, endSession(deps)))
  router.get('/user/apps', ...ownerOnly('account'), call(body.Empty, listApps(deps)))
  router.delete('/user/apps/:clientId', ...ownerOnly('account'), call(body.Empty, revokeApp(deps)))
  router.post('/verification', ...owner('sensitive'), twoCalls(body.Verification, verify(deps)))
  router.post(
    '/recovery-codes',
    ...ownerMaybe('sensitive'),
    call(body.Confirmed, regenerateRecoveryCodes(deps)),
  )
  router.get('/user/activity', ...ownerOnly('account'), call(body.Empty, listActivity(deps)))
  router.get('/user/export', ...ownerOnly('sensitive'), call(body.Empty, exportAccount(deps)))
  router.delete('/user', ...ownerMaybe('sensitive'), call(body.Confirmed, deleteAccount(deps)))
  return router
}

/** Everything below `/api/auth`, refusals included, is JSON and never stored. */
export function authApi(deps: AuthApiDeps, limit: RateLimit): Middleware {
  const router = authRoutes(deps, limit)
  const door = compose([
    errorHandler(deps.faults, (ctx, error) => {
      if (error.code === 'reauthentication_required')
        challenge(ctx, insufficientProof(principalOf(ctx)))
      if (error.status === 401 && !ctx.response.get('WWW-Authenticate')) challenge(ctx)
      presentJson(ctx, error)
    }),
    issuerHostOnly(deps.issuer),
    unknownMethods,
    router.routes() as Middleware,
    router.allowedMethods() as Middleware,
  ])
  return (ctx, next) => {
    if (ctx.path !== PREFIX && !ctx.path.startsWith(`${PREFIX}/`)) return next()
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
    return door(ctx, async () => undefined)
  }
}

/** Methods that no route knows are not allowed here, like those of another route (WB-07). */
const unknownMethods: Middleware = async (ctx, next) => {
  await next()
  if (ctx.status === 501) throw new AppError('method_not_allowed')
}
