import Router from '@koa/router'
import type { Middleware } from 'koa'
import compose from 'koa-compose'
import { AppError } from '../../errors.ts'
import { leadHome } from '../lead-home.ts'
import { formBody } from '../middleware/body.ts'
import type { RateLimit } from '../middleware/rate-limit.ts'
import { seeOther } from '../see-other.ts'
import { noteSignIns, startedBy } from '../started-sign-ins.ts'
import { resendArrivalCode } from './arrival-code.ts'
import { skipConnecting } from './connect.ts'
import { orLeave } from './domain-routing.ts'
import { sendCode, sendCodeAgain } from './email-code.ts'
import { type InteractionDeps, loadStep, stepOf } from './interaction.ts'
import { leave } from './leave.ts'
import { declinePasskeyOffer } from './passkey-offer.ts'
import { dueStep, type InteractionStep, STEPS } from './steps.ts'
import { declineTerms } from './terms.ts'
import { arrive, startUpstream } from './upstream.ts'
import { resendCode } from './verify-email.ts'

/** The steps between an authorization request and its answer. */
export function interactionRoutes(deps: InteractionDeps, limit: RateLimit): Router {
  const router = new Router({ prefix: '/interaction/:uid' })
  const form = compose([formBody(), deps.csrf.guard])
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
  /** Loads the step while the limit is asked for, whose refusal comes first. */
  const load =
    (limited: Middleware = pass): Middleware =>
    async (ctx, next) => {
      const step = loadStep(ctx, deps, dueStep)
      step.catch(() => undefined)
      await limited(ctx, async () => {
        await step
        await next()
      })
    }
  const shown = new Map(STEPS.map(({ name, show }) => [name, show(deps)]))
  // Shown in place: a redirect would cost a round trip. A browser that comes anew begins anew.
  router.get('/', load(), async (ctx, next) => {
    const { uid, app, interaction, policy } = stepOf(ctx)
    // Those that were begun at the same moment did not know of each other.
    noteSignIns(ctx, { begun: { uid, clientId: app.client.clientId } })
    await shown.get(dueStep({}, interaction.prompt.name, policy))?.(ctx, next)
  })
  for (const step of STEPS) {
    const limited = step.limit && limit(step.limit)
    router.get(`/${step.name}`, load(), whenDue(step), step.show(deps))
    router.post(`/${step.name}`, load(limited), whenDue(step), step.submit(deps))
  }
  router.post('/passkey-offer/decline', load(), declinePasskeyOffer(deps))
  router.post('/resend', load(limit('resend')), resendCode(deps))
  router.post('/upstream/:provider', load(limit('upstream')), startUpstream(deps))
  router.get('/arrive', load(limit('upstream')), arrive(deps))
  router.post('/arrival-code/resend', load(limit('resend')), resendArrivalCode(deps))
  router.post('/connect/skip', load(), skipConnecting(deps))
  router.post('/send-code', load(limit('resend')), orLeave(deps, sendCode))
  router.post('/send-code-again', load(limit('resend')), sendCodeAgain(deps))
  router.post('/terms/decline', load(), declineTerms(deps))
  router.post('/leave', load(), leave(deps))
  router.post('/switch-account', load(), (ctx) => seeOther(ctx, stepOf(ctx).url('select-account')))
  return leadHome(router, compose([load(), toDue]))
}

/** What the person was at. */
const toDue: Middleware = (ctx) => {
  const { state, interaction, policy, url } = stepOf(ctx)
  seeOther(ctx, url(dueStep(state, interaction.prompt.name, policy)))
}

/** What has no ground in this interaction leads to what has. */
function whenDue({ isOpen, isDue }: InteractionStep): Middleware {
  return (ctx, next) => {
    const { state, interaction, policy } = stepOf(ctx)
    return isOpen || isDue(state, interaction.prompt.name, policy) ? next() : toDue(ctx, next)
  }
}

const pass: Middleware = (_ctx, next) => next()
