import Router from '@koa/router'
import compose from 'koa-compose'
import { AppError } from '../../errors.ts'
import { formBody } from '../middleware/body.ts'
import type { RateLimit } from '../middleware/rate-limit.ts'
import { seeOther } from '../see-other.ts'
import { noteSignIns, startedBy } from '../started-sign-ins.ts'
import { showConsent, submitConsent } from './consent.ts'
import { type InteractionDeps, loadStep } from './interaction.ts'
import { showLogin, submitLogin } from './login.ts'
import { showMfa, submitMfa } from './mfa.ts'
import {
  showMfaEnrol,
  showRecoveryCodes,
  submitMfaEnrol,
  submitRecoveryCodes,
} from './mfa-enrol.ts'
import { showSelectAccount, submitSelectAccount } from './select-account.ts'
import { showSignUp, submitSignUp } from './sign-up.ts'
import { resendCode, showVerifyEmail, submitVerifyEmail } from './verify-email.ts'

/** The steps between an authorization request and its answer. */
export function interactionRoutes(deps: InteractionDeps, limit: RateLimit): Router {
  const router = new Router({ prefix: '/interaction/:uid' })
  const form = compose([formBody(), deps.csrf.guard])
  const [login, signUp, selectAccount, consent] = [
    showLogin(deps),
    showSignUp(deps),
    showSelectAccount(deps),
    showConsent(deps),
  ]
  /** By the prompt that the browser comes with. Shown in place: a redirect would cost it a round trip. */
  const first = new Map([
    ['login', login],
    ['create', signUp],
    ['select_account', selectAccount],
    ['consent', consent],
  ])

  // Only the browser that began it learns whose it was, and may start again.
  router.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      const uid = String(ctx['params']['uid'])
      const clientId =
        error instanceof AppError && error.code === 'interaction_expired'
          ? startedBy(ctx, uid)
          : undefined
      if (clientId !== undefined)
        ctx.state.wayBack = await deps.interactions.wayBack({ uid, clientId })
      throw error
    }
  })
  // What another site sends is refused before it is counted.
  router.use((ctx, next) => (ctx.method === 'POST' ? form : deps.csrf.pagesOnly)(ctx, next))
  router.use(limit('interaction'))
  // Every step begins with it, so it is on its way while a narrower limit is asked for.
  router.use((ctx, next) => {
    loadStep(ctx, deps).catch(() => undefined)
    return next()
  })
  router.get('/', async (ctx, next) => {
    const { uid, app, interaction } = await loadStep(ctx, deps)
    // Those that were begun at the same moment did not know of each other.
    noteSignIns(ctx, { begun: { uid, clientId: app.client.clientId } })
    await (first.get(interaction.prompt.name) ?? login)(ctx, next)
  })
  router.get('/login', login)
  router.post('/login', limit('sign-in'), submitLogin(deps))
  router.get('/mfa', showMfa(deps))
  router.post('/mfa', limit('verify'), submitMfa(deps))
  router.get('/mfa-enrol', showMfaEnrol(deps))
  router.post('/mfa-enrol', limit('verify'), submitMfaEnrol(deps))
  router.get('/recovery-codes', showRecoveryCodes(deps))
  router.post('/recovery-codes', submitRecoveryCodes(deps))
  router.get('/sign-up', signUp)
  router.post('/sign-up', limit('sign-up'), submitSignUp(deps))
  router.get('/verify-email', showVerifyEmail(deps))
  router.post('/verify-email', limit('verify'), submitVerifyEmail(deps))
  router.post('/resend', limit('resend'), resendCode(deps))
  router.get('/select-account', selectAccount)
  router.post('/select-account', submitSelectAccount(deps))
  router.post('/switch-account', async (ctx) =>
    seeOther(ctx, (await loadStep(ctx, deps)).url('select-account')),
  )
  router.get('/consent', consent)
  router.post('/consent', submitConsent(deps))
  return router
}
