import Router from '@koa/router'
import { formBody } from '../middleware/body.ts'
import type { RateLimit } from '../middleware/rate-limit.ts'
import { seeOther } from '../see-other.ts'
import { showConsent, submitConsent } from './consent.ts'
import { type InteractionDeps, loadStep } from './interaction.ts'
import { showLogin, submitLogin } from './login.ts'
import { showMfa, submitMfa } from './mfa.ts'
import { showMfaEnrol, showRecoveryCodes, submitMfaEnrol, submitRecoveryCodes } from './mfa-enrol.ts'
import { showSelectAccount, submitSelectAccount } from './select-account.ts'
import { showSignUp, submitSignUp } from './sign-up.ts'
import { resendCode, showVerifyEmail, submitVerifyEmail } from './verify-email.ts'

const FIRST_STEP: Readonly<Record<string, string>> = {
  login: 'login',
  create: 'sign-up',
  select_account: 'select-account',
  consent: 'consent',
}

/** The steps between an authorization request and its answer. */
export function interactionRoutes(deps: InteractionDeps, limit: RateLimit): Router {
  const router = new Router({ prefix: '/interaction/:uid' })
  const form = formBody()
  const { guard } = deps.csrf

  router.use(limit('interaction'))
  router.get('/', async (ctx) => {
    const step = await loadStep(ctx, deps)
    seeOther(ctx, step.url(FIRST_STEP[step.interaction.prompt.name] ?? 'login'))
  })
  router.get('/login', showLogin(deps))
  router.post('/login', limit('sign-in'), form, guard, submitLogin(deps))
  router.get('/mfa', showMfa(deps))
  router.post('/mfa', limit('verify'), form, guard, submitMfa(deps))
  router.get('/mfa-enrol', showMfaEnrol(deps))
  router.post('/mfa-enrol', limit('verify'), form, guard, submitMfaEnrol(deps))
  router.get('/recovery-codes', showRecoveryCodes(deps))
  router.post('/recovery-codes', form, guard, submitRecoveryCodes(deps))
  router.get('/sign-up', showSignUp(deps))
  router.post('/sign-up', limit('sign-up'), form, guard, submitSignUp(deps))
  router.get('/verify-email', showVerifyEmail(deps))
  router.post('/verify-email', limit('verify'), form, guard, submitVerifyEmail(deps))
  router.post('/resend', limit('resend'), form, guard, resendCode(deps))
  router.get('/select-account', showSelectAccount(deps))
  router.post('/select-account', form, guard, submitSelectAccount(deps))
  router.post('/switch-account', form, guard, async (ctx) => seeOther(ctx, (await loadStep(ctx, deps)).url('select-account')))
  router.get('/consent', showConsent(deps))
  router.post('/consent', form, guard, submitConsent(deps))
  return router
}
