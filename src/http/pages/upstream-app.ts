import type { Context, Middleware } from 'koa'
import type { Meetings } from '../../accounts/identities/meetings.ts'
import { redirectKind, shownAddress } from '../../clients/redirect-kind.ts'
import { AppError } from '../../errors.ts'
import type { AppCodes } from '../../upstream/app-codes.ts'
import { refusalOf, type UpstreamArrivals, type UpstreamPerson } from '../../upstream/arrivals.ts'
import { bindingTo } from '../../upstream/flows.ts'
import type { UpstreamJourneys } from '../../upstream/journeys.ts'
import type { Csrf } from '../middleware/csrf.ts'
import { formOf, originOf } from '../state.ts'
import type { UpstreamCookie } from '../upstream-cookie.ts'
import { type Asked, askedBy, leaveTo, orToApp, type ToAppDeps } from './upstream-ticket.ts'

export interface UpstreamAppDeps extends ToAppDeps {
  readonly appCodes: AppCodes
  readonly arrivals: UpstreamArrivals
  readonly csrf: Csrf
  readonly journeys: UpstreamJourneys
  readonly meetings: Meetings
  readonly upstreamCookie: UpstreamCookie
}

/** The address that an app of the account API opens in a browser: on to the provider, by a page. */
export function startForApp(deps: UpstreamAppDeps): Middleware {
  return async (ctx) => {
    const asked = await askedBy(ctx, deps)
    await orToApp(ctx, deps, asked, async () => {
      const provider = offered(asked)
      const browser = deps.upstreamCookie.keep(ctx)
      const href = await deps.journeys.begin({
        provider,
        purpose: 'api',
        binding: bindingTo('api', browser),
        browser,
        goOn: `${ctx.path}/arrival`,
      })
      const model = { href, isToProgram: false, provider: provider.name }
      deps.renderer.page(ctx, 'pages/leaving', model, asked.app)
    })
  }
}

/**
 * Back from there. Whom the provider's word is known of goes on with a code; an app that another
 * could be in place of has to be allowed to have it (RFC 8252 8.6). A first meeting takes the hosted
 * pages, where the person decides what it leads to.
 */
export function arriveForApp(deps: UpstreamAppDeps): Middleware {
  return async (ctx) => {
    const asked = await askedBy(ctx, deps, { isBack: true })
    const id = String(ctx.query['of'])
    const arrival = await deps.arrivals.find(id, bindingOf(ctx, deps))
    if (arrival?.providerId !== asked.ticket.providerId) throw new AppError('interaction_expired')
    const { news } = arrival
    await orToApp(ctx, deps, asked, async () => {
      if ('failure' in news) throw refusalOf(news.failure)
      const meeting = await deps.meetings.meet(offered(asked).id, news.person, originOf(ctx))
      if (meeting.kind !== 'known')
        return leaveTo(ctx, deps, asked, { error: 'interaction_required' })
      const { redirectUri } = asked.ticket
      if (redirectKind(redirectUri) === 'https') return goOnWithCode(ctx, deps, asked, id)
      deps.renderer.page(
        ctx,
        'pages/app-sign-in',
        {
          action: ctx.path,
          csrf: deps.csrf.token(ctx),
          hidden: { of: id },
          person: { name: '', email: meeting.account.email },
          destination: { kind: redirectKind(redirectUri), host: shownAddress(redirectUri) },
        },
        asked.app,
      )
    })
  }
}

/** POST: what the person says to that. */
export function decideForApp(deps: UpstreamAppDeps): Middleware {
  return async (ctx) => {
    const asked = await askedBy(ctx, deps, { isBack: true })
    const { decision, of: id = '' } = formOf(ctx)
    if (decision !== 'allow' && decision !== 'deny') throw new AppError('invalid_input')
    await orToApp(ctx, deps, asked, async () => {
      if (decision === 'allow') return goOnWithCode(ctx, deps, asked, id)
      await taken(ctx, deps, asked, id)
      leaveTo(ctx, deps, asked, { error: 'access_denied' })
    })
  }
}

async function goOnWithCode(
  ctx: Context,
  deps: UpstreamAppDeps,
  asked: Asked,
  id: string,
): Promise<void> {
  offered(asked)
  const person = await taken(ctx, deps, asked, id)
  leaveTo(ctx, deps, asked, { code: await deps.appCodes.make(asked.ticket, person) })
}

/** Who arrived; of two requests with one arrival, one goes on. */
async function taken(
  ctx: Context,
  deps: UpstreamAppDeps,
  { ticket }: Asked,
  id: string,
): Promise<UpstreamPerson> {
  const arrival = await deps.arrivals.take(id, bindingOf(ctx, deps))
  if (arrival?.providerId !== ticket.providerId || !('person' in arrival.news))
    throw new AppError('interaction_expired')
  return arrival.news.person
}

function bindingOf(ctx: Context, { upstreamCookie }: UpstreamAppDeps): Buffer {
  return bindingTo('api', upstreamCookie.read(ctx) ?? '')
}

function offered({ provider }: Asked): NonNullable<Asked['provider']> {
  if (!provider) throw new AppError('method_not_offered')
  return provider
}
