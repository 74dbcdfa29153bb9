import Router from '@koa/router'
import { LINK_PATHS } from '../../../mail/links.ts'
import { formBody } from '../../middleware/body.ts'
import { seeOther } from '../../see-other.ts'
import { resendRecoveryCode, showAsk, showCode, submitAsk, submitCode } from './ask.ts'
import type { RecoveryPagesDeps } from './deps.ts'
import { showLink, showStop, submitLink, submitStop } from './links.ts'
import { showNext, submitRecoveryCode, submitWait } from './next.ts'
import { showRenew, submitRenew } from './renew.ts'

/** The way back for a person who has lost what they sign in with. */
export function recoveryRoutes(deps: RecoveryPagesDeps): Router {
  const { csrf, limit } = deps
  const router = new Router()
  const form = [formBody(), csrf.guard] as const

  router.get('/recover', showAsk(deps))
  router.post('/recover', ...form, limit('forgot'), submitAsk(deps))
  router.get('/recover/code', showCode(deps))
  router.post('/recover/code', ...form, limit('verify'), submitCode(deps))
  router.post('/recover/resend', ...form, limit('resend'), resendRecoveryCode(deps))
  router.get('/recover/next', showNext(deps))
  router.post('/recover/next', ...form, limit('verify'), submitRecoveryCode(deps))
  router.post('/recover/wait', ...form, limit('verify'), submitWait(deps))
  router.get('/recover/new', showRenew(deps))
  router.post('/recover/new', ...form, limit('verify'), submitRenew(deps))
  router.get(LINK_PATHS.recoverLink, showLink(deps))
  router.post(LINK_PATHS.recoverLink, ...form, limit('verify'), submitLink(deps))
  router.get(LINK_PATHS.stopRecovery, showStop(deps))
  router.post(LINK_PATHS.stopRecovery, ...form, limit('verify'), submitStop(deps))
  router.post('/recover/passkey', ...form, limit('verify'), submitRenew(deps))
  router.get('/recover/passkey', (ctx) => seeOther(ctx, '/recover/new'))
  router.get('/recover/resend', (ctx) => seeOther(ctx, '/recover/code'))
  router.get('/recover/wait', (ctx) => seeOther(ctx, '/recover/next'))
  return router
}
