import type { Middleware } from 'koa'
import type { Activity } from '../../../audit/activity.ts'
import type { AuthorizationServer } from '../../../oidc/authorization-server.ts'
import { type AreaDeps, areaOf } from './area.ts'
import { visitorOf } from './session.ts'

export interface ActivityDeps extends AreaDeps {
  readonly activity: Activity
  readonly authorizationServer: AuthorizationServer
}

const PAGE_SIZE = 50

/** What happened to the account, newest first, as the audit trail has it. */
export function showActivity(deps: ActivityDeps): Middleware {
  return async (ctx) => {
    const before = Number(ctx.query['before'])
    const page = {
      limit: PAGE_SIZE,
      before: Number.isSafeInteger(before) && before > 0 ? before : undefined,
    }
    const rows = await deps.activity.listForAccount(visitorOf(ctx).account.id, page)
    const names = await namesOf(deps, new Set(rows.map(({ clientId }) => clientId ?? '')))
    const events = rows.map(({ type, outcome, at, userAgent, ip, clientId }) => ({
      type,
      outcome,
      at,
      userAgent: userAgent ?? undefined,
      ip: ip ?? undefined,
      app: names.get(clientId ?? ''),
    }))
    deps.renderer.page(ctx, 'account/activity', {
      ...areaOf(ctx, deps),
      events,
      olderHref:
        rows.length < PAGE_SIZE ? undefined : `/account/activity?before=${rows.at(-1)?.seq}`,
    })
  }
}

async function namesOf(
  { authorizationServer }: ActivityDeps,
  ids: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const names = new Map<string, string>()
  for (const id of ids) {
    const client = id ? await authorizationServer.provider.Client.find(id) : undefined
    if (client) names.set(id, client.clientName ?? id)
  }
  return names
}
