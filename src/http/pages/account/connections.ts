import type { Context, Middleware } from 'koa'
import type { Identities } from '../../../accounts/identities/identities.ts'
import type { Joining } from '../../../accounts/identities/joining.ts'
import { AppError } from '../../../errors.ts'
import { refusalOf, type UpstreamArrivals } from '../../../upstream/arrivals.ts'
import { bindingTo } from '../../../upstream/flows.ts'
import type { UpstreamJourneys } from '../../../upstream/journeys.ts'
import type { LiveProvider, Providers } from '../../../upstream/providers.ts'
import type { IdentityItem, Problems } from '../../../views/views.ts'
import { refusable } from '../../refusable.ts'
import { seeOther } from '../../see-other.ts'
import { formOf, originOf } from '../../state.ts'
import type { UpstreamCookie } from '../../upstream-cookie.ts'
import { type AreaDeps, areaOf } from './area.ts'
import { visitorOf } from './session.ts'

export interface ConnectionsDeps extends AreaDeps {
  readonly identities: Identities
  readonly joining: Joining
  readonly providers: Providers
  readonly journeys: UpstreamJourneys
  readonly arrivals: UpstreamArrivals
  readonly upstreamCookie: UpstreamCookie
}

const PATH = '/account/connections'

/** Who opens this account besides its own ways in, and who else could. */
export function showConnections(deps: ConnectionsDeps): Middleware {
  return (ctx) => render(ctx, deps)
}

/** Away to a provider, whose answer belongs to this session alone. */
export function startConnecting(deps: ConnectionsDeps): Middleware {
  return async (ctx) => {
    await refusable(
      ctx,
      async () => {
        const provider = await requireProvider(deps, String(ctx['params']['provider']))
        const href = await deps.journeys.begin({
          provider,
          purpose: 'link',
          binding: bindingTo('session', visitorOf(ctx).sessionId),
          browser: deps.upstreamCookie.keep(ctx),
          goOn: `${PATH}/arrival`,
          again: true,
        })
        const model = { href, isToProgram: false, provider: provider.name }
        deps.renderer.page(ctx, 'pages/leaving', model)
      },
      (problems) => render(ctx, deps, problems),
    )
  }
}

/** Back from there, in the very session that asked (UP-02, UP-03), whose proof is fresh still. */
export function finishConnecting(deps: ConnectionsDeps): Middleware {
  return async (ctx) => {
    const { account, sessionId, secondProvedAt } = visitorOf(ctx)
    const binding = bindingTo('session', sessionId)
    const arrival = await deps.arrivals.find(String(ctx.query['of']), binding)
    if (!arrival) return seeOther(ctx, PATH)
    await refusable(
      ctx,
      async () => {
        const { id, providerId, news } = arrival
        if ('failure' in news) throw refusalOf(news.failure)
        await requireProvider(deps, providerId)
        const { id: accountId, credentialVersion } = account
        const arrived = { id, providerId, person: news.person }
        const hasSecondStep = secondProvedAt !== undefined
        const shown = { accountId, credentialVersion, hasSecondStep }
        await deps.joining.connect(arrived, shown, originOf(ctx))
        deps.notices.leave(ctx, 'identity_linked')
        seeOther(ctx, PATH)
      },
      (problems) => render(ctx, deps, problems),
    )
  }
}

export function removeConnection(deps: ConnectionsDeps): Middleware {
  return async (ctx) => {
    await refusable(
      ctx,
      async () => {
        const id = formOf(ctx)['id'] ?? ''
        await deps.identities.remove(visitorOf(ctx).account.id, id, originOf(ctx))
        deps.notices.leave(ctx, 'identity_unlinked')
        seeOther(ctx, PATH)
      },
      (problems) => render(ctx, deps, problems),
    )
  }
}

/** It may have been disabled since its button was shown (UP-05). */
async function requireProvider({ providers }: ConnectionsDeps, id: string): Promise<LiveProvider> {
  const provider = await providers.find(id)
  if (!provider) throw new AppError('method_not_offered')
  return provider
}

async function render(ctx: Context, deps: ConnectionsDeps, problems?: Problems): Promise<void> {
  const { account } = visitorOf(ctx)
  const [identities, providers] = await Promise.all([
    deps.identities.list(account.id),
    deps.providers.offered(),
  ])
  const isIn = (providerId: string): boolean =>
    identities.some(({ provider, suspendedAt }) => provider.id === providerId && !suspendedAt)
  deps.renderer.page(ctx, 'account/connections', {
    ...areaOf(ctx, deps),
    csrf: deps.csrf.token(ctx),
    removeAction: `${PATH}/remove`,
    identities: identities.map(
      ({ id, provider, email, displayName, linkedAt, lastUsedAt, suspendedAt }): IdentityItem => ({
        id,
        provider: provider.name,
        shown: email ?? displayName ?? undefined,
        linkedAt,
        lastUsedAt: lastUsedAt ?? undefined,
        isSuspended: suspendedAt != null,
      }),
    ),
    providers: providers
      .filter(({ id }) => !isIn(id))
      .map(({ id, name }) => ({ name, action: `${PATH}/${id}/connect` })),
    problems,
  })
}
