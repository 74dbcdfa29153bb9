import type { Middleware } from 'koa'
import type { Consents } from '../../../accounts/consents.ts'
import type { Consent } from '../../../entities/index.ts'
import type { AccessRevoker } from '../../../oidc/access-revoker.ts'
import type { AppItem } from '../../../views/views.ts'
import { seeOther } from '../../see-other.ts'
import { formOf } from '../../state.ts'
import { type AreaDeps, areaOf } from './area.ts'
import { visitorOf } from './session.ts'

export interface AppsDeps extends AreaDeps {
  readonly consents: Consents
  readonly access: AccessRevoker
}

const PATH = '/account/apps'

/** The apps that the account has allowed something (UX-35). */
export function showApps(deps: AppsDeps): Middleware {
  return async (ctx) => {
    const apps = (await deps.consents.list(visitorOf(ctx).account.id)).map(appItem)
    deps.renderer.page(ctx, 'account/apps', {
      ...areaOf(ctx, deps),
      csrf: deps.csrf.token(ctx),
      removeAction: `${PATH}/remove`,
      apps,
    })
  }
}

/** Takes back what was allowed and ends the grants, refresh and access tokens that came of it. */
export function removeApp(deps: AppsDeps): Middleware {
  return async (ctx) => {
    const { account } = visitorOf(ctx)
    const clientId = formOf(ctx)['client_id'] ?? ''
    if (await deps.consents.revoke(account.id, clientId))
      await deps.access.revokeApp(account.id, clientId)
    deps.notices.leave(ctx, 'app_removed')
    seeOther(ctx, PATH)
  }
}

function appItem({ client, scopes, resourceScopes, grantedAt }: Consent): AppItem {
  const [redirectUri] = (client.metadata['redirect_uris'] ?? []) as string[]
  const host = client.isFirstParty ? undefined : URL.parse(redirectUri ?? '')?.host || undefined
  return {
    clientId: client.id,
    name: client.name,
    host,
    scopes: [...scopes, ...Object.values(resourceScopes).flat()],
    grantedAt,
  }
}
