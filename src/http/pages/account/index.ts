import Router from '@koa/router'
import { leadHome } from '../../lead-home.ts'
import { formBody } from '../../middleware/body.ts'
import type { RateLimit } from '../../middleware/rate-limit.ts'
import { seeOther } from '../../see-other.ts'
import { type ActivityDeps, showActivity } from './activity.ts'
import { type AppsDeps, removeApp, showApps } from './apps.ts'
import {
  type ConnectionsDeps,
  finishConnecting,
  removeConnection,
  showConnections,
  startConnecting,
} from './connections.ts'
import { type DeleteDeps, showDelete, submitDelete } from './delete.ts'
import {
  confirmEmail,
  type EmailDeps,
  resendEmailCode,
  showConfirmEmail,
  showEmail,
  submitEmail,
} from './email.ts'
import { downloadExport, type ExportDeps } from './export.ts'
import { confirmMfa, disableMfa, type MfaDeps, showDisableMfa, showMfa, startMfa } from './mfa.ts'
import { type OverviewDeps, showOverview } from './overview.ts'
import { pageOfArea } from './page-of.ts'
import {
  addPasskey,
  confirmPasskey,
  type PasskeysDeps,
  removePasskey,
  renamePasskey,
  showNewPasskey,
  showPasskeys,
} from './passkeys.ts'
import {
  havingPassword,
  type PasswordDeps,
  showNewPassword,
  showPassword,
  submitNewPassword,
  submitPassword,
} from './password.ts'
import { type ProfileDeps, showProfile, submitProfile } from './profile.ts'
import { type StopRecoveryDeps, stopRecovery } from './recovery.ts'
import {
  type RecoveryCodesDeps,
  regenerateRecoveryCodes,
  showRecoveryCodes,
} from './recovery-codes.ts'
import { type AccountSessionDeps, accountSession, freshSession } from './session.ts'
import {
  endOtherSessions,
  endSession,
  endTrust,
  type SessionsDeps,
  showSessions,
} from './sessions.ts'
import { type SignOutDeps, signOut } from './sign-out.ts'

export interface AccountDeps
  extends AccountSessionDeps,
    ActivityDeps,
    AppsDeps,
    ConnectionsDeps,
    DeleteDeps,
    EmailDeps,
    ExportDeps,
    MfaDeps,
    OverviewDeps,
    PasskeysDeps,
    PasswordDeps,
    ProfileDeps,
    RecoveryCodesDeps,
    SessionsDeps,
    StopRecoveryDeps,
    SignOutDeps {}

/**
 * The account area: `form` guards what changes anything, before it is counted; `fresh` what asks
 * again after ten minutes.
 */
export function accountRoutes(deps: AccountDeps, limit: RateLimit): Router {
  const router = new Router({ prefix: '/account' })
  const pageOf = pageOfArea(router)
  const signedIn = accountSession(deps, pageOf)
  const fresh = freshSession(deps, pageOf)
  const form = [formBody(), deps.csrf.guard] as const
  const calm = [limit('account'), signedIn] as const
  const sensitive = [limit('sensitive'), signedIn, fresh] as const

  router.use(deps.csrf.pagesOnly)
  router.get('/', ...calm, showOverview(deps))
  router.get('/security', ...calm, (ctx) => seeOther(ctx, '/account#security'))
  router.post('/sign-out', ...form, limit('account'), signOut(deps))

  router.post('/recovery/stop', ...form, ...calm, stopRecovery(deps))

  router.get('/profile', ...calm, showProfile(deps))
  router.post('/profile', ...form, ...calm, submitProfile(deps))

  router.get('/email', ...calm, fresh, showEmail(deps))
  router.post('/email', ...form, ...sensitive, submitEmail(deps))
  router.get('/email/confirm', ...calm, fresh, showConfirmEmail(deps))
  router.post('/email/confirm', ...form, ...sensitive, confirmEmail(deps))
  router.post('/email/confirm/resend', ...form, ...sensitive, resendEmailCode(deps))

  const withPassword = havingPassword(deps)
  router.get('/password', ...calm, withPassword, fresh, showPassword(deps))
  router.post('/password', ...form, ...sensitive, withPassword, submitPassword(deps))
  router.get('/password/confirm', ...calm, withPassword, fresh, showNewPassword(deps))
  router.post('/password/confirm', ...form, ...sensitive, withPassword, submitNewPassword(deps))

  router.get('/passkeys', ...calm, showPasskeys(deps))
  router.get('/passkeys/new', ...calm, fresh, showNewPasskey(deps))
  router.post('/passkeys/new', ...form, ...sensitive, addPasskey(deps))
  router.post('/passkeys/:id/rename', ...form, ...sensitive, renamePasskey(deps))
  router.post('/passkeys/:id/confirm', ...form, ...sensitive, confirmPasskey(deps))
  router.post('/passkeys/:id/remove', ...form, ...sensitive, removePasskey(deps))

  router.get('/mfa', ...calm, fresh, showMfa(deps))
  router.post('/mfa/start', ...form, ...sensitive, startMfa(deps))
  router.post('/mfa', ...form, ...sensitive, confirmMfa(deps))
  router.get('/mfa/disable', ...calm, fresh, showDisableMfa(deps))
  router.post('/mfa/disable', ...form, ...sensitive, disableMfa(deps))
  router.get('/recovery-codes', ...calm, fresh, showRecoveryCodes(deps))
  router.post('/recovery-codes', ...form, ...sensitive, regenerateRecoveryCodes(deps))

  router.get('/sessions', ...calm, showSessions(deps))
  router.post('/sessions/end', ...form, ...calm, endSession(deps))
  router.post('/sessions/end-others', ...form, ...calm, endOtherSessions(deps))
  router.post('/sessions/distrust', ...form, ...calm, endTrust(deps))
  router.get('/apps', ...calm, showApps(deps))
  router.post('/apps/remove', ...form, ...calm, removeApp(deps))
  router.get('/connections', ...calm, showConnections(deps))
  router.get('/connections/arrival', ...calm, fresh, finishConnecting(deps))
  router.post('/connections/remove', ...form, ...sensitive, removeConnection(deps))
  router.post('/connections/:provider/connect', ...form, ...sensitive, startConnecting(deps))
  router.get('/activity', ...calm, showActivity(deps))

  router.get('/export', ...sensitive, downloadExport(deps))
  router.get('/delete', ...calm, fresh, showDelete(deps))
  router.post('/delete', ...form, ...sensitive, submitDelete(deps))
  return leadHome(router, (ctx) => seeOther(ctx, pageOf(ctx.path)))
}
