import Router from '@koa/router'
import type { Middleware } from 'koa'
import compose from 'koa-compose'
import { AppError } from '../../../errors.ts'
import type { Logger } from '../../../logger.ts'
import { type BearerAuthDeps, bearerAuth, challenge, publicOnly } from '../../middleware/bearer-auth.ts'
import { jsonBody } from '../../middleware/body.ts'
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
    AccountDeps {
  readonly issuer: string
  readonly logger: Logger
}

/** The JSON door: each line is a route with its limit, who may call it, and what is done. */
export function authRoutes(deps: AuthApiDeps, limit: RateLimit): Router {
  const anyone = publicOnly(deps)
  const bearer = bearerAuth(deps)
  const json = jsonBody()
  const maybe = jsonBody({ isOptional: true })
  const router = new Router({ prefix: PREFIX, strict: true, sensitive: true })

  router.post('/sign-up/email', limit('sign-up'), anyone, json, call(body.SignUp, signUp(deps)))
  router.post('/verify/email', limit('verify'), anyone, json, call(body.VerifyEmail, verifyEmail(deps)))
  router.post('/resend/verify/email', limit('resend'), anyone, json, call(body.Resend, resend(deps)))
  router.post('/sign-in/email', limit('sign-in'), anyone, json, twoCalls(body.SignIn, signIn(deps)))
  router.post('/enable/mfa', limit('sensitive'), bearer, json, twoCalls(body.EnableMfa, enableMfa(deps)))
  router.post('/disable/mfa', limit('sensitive'), bearer, json, twoCalls(body.DisableMfa, disableMfa(deps)))
  router.patch('/edit/basic', limit('account'), bearer, json, call(body.EditBasic, editBasic(deps)))
  router.patch('/edit/email', limit('sensitive'), bearer, json, twoCalls(body.EditEmail, editEmail(deps)))
  router.patch('/edit/password', limit('sensitive'), bearer, json, twoCalls(body.EditPassword, editPassword(deps)))
  router.patch('/forgot/password', limit('forgot'), anyone, json, twoCalls(body.ForgotPassword, forgotPassword(deps)))
  router.post('/user/me', limit('account'), bearer, maybe, call(body.Empty, me(deps)))
  router.delete('/user/logout', limit('account'), bearer, call(body.Empty, logout(deps)))
  router.delete('/user/logout-all', limit('account'), bearer, call(body.Empty, logoutAll(deps)))
  router.patch('/user/refresh', limit('refresh'), json, call(body.Refresh, refresh(deps)))

  router.get('/user/sessions', limit('account'), bearer, call(body.Empty, listSessions(deps)))
  router.delete('/user/sessions/:id', limit('account'), bearer, call(body.Empty, endSession(deps)))
  router.get('/user/apps', limit('account'), bearer, call(body.Empty, listApps(deps)))
  router.delete('/user/apps/:clientId', limit('account'), bearer, call(body.Empty, revokeApp(deps)))
  router.post('/recovery-codes', limit('sensitive'), bearer, maybe, call(body.Confirmed, regenerateRecoveryCodes(deps)))
  router.get('/user/activity', limit('account'), bearer, call(body.Empty, listActivity(deps)))
  router.get('/user/export', limit('sensitive'), bearer, call(body.Empty, exportAccount(deps)))
  router.delete('/user', limit('sensitive'), bearer, maybe, call(body.Confirmed, deleteAccount(deps)))
  return router
}

/** Everything below `/api/auth`, refusals included, is JSON and never stored. */
export function authApi(deps: AuthApiDeps, limit: RateLimit): Middleware {
  const router = authRoutes(deps, limit)
  const door = compose([
    errorHandler(deps.logger, (ctx, error) => {
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
