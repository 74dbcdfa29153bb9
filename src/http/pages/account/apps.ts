import type { Middleware } from 'koa'
import type { Consents } from '../../../accounts/consents.ts'
import { shownAddress } from '../../../clients/redirect-kind.ts'
import type { Resources } from '../../../clients/resources.ts'
import type { Consent, Resource } from '../../../entities/index.ts'
import type { AccessRevoker } from '../../../oidc/access-revoker.ts'
import { apiResource } from '../../../oidc/clients/built-in-clients.ts'
import type { AppItem } from '../../../views/views.ts'
import { apiItems } from '../../api-items.ts'
import { logoPath } from '../../logos.ts'
import { seeOther } from '../../see-other.ts'
import { formOf } from '../../state.ts'
import { type AreaDeps, areaOf } from './area.ts'
import { visitorOf } from './session.ts'

export interface AppsDeps extends AreaDeps {
  readonly issuer: string
  readonly consents: Consents
  readonly resources: Resources
  readonly access: AccessRevoker
}

const PATH = '/account/apps'

/** The apps that the account has allowed something (UX-35). */
export function showApps(deps: AppsDeps): Middleware {
  return async (ctx) => {
    const consents = await deps.consents.list(visitorOf(ctx).account.id)
    const apis = consents.flatMap(({ resourceScopes }) => Object.keys(resourceScopes))
    const registered = await deps.resources.find([...new Set(apis)])
    deps.renderer.page(ctx, 'account/apps', {
      ...areaOf(ctx, deps),
      csrf: deps.csrf.token(ctx),
      removeAction: `${PATH}/remove`,
      apps: consents.map((consent) => appItem(consent, registered, deps.issuer)),
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

function appItem(
  { client, scopes, claims, resourceScopes, grantedAt }: Consent,
  registered: readonly Resource[],
  issuer: string,
): AppItem {
  const [redirectUri] = (client.metadata['redirect_uris'] ?? []) as string[]
  const host = client.isFirstParty || !redirectUri ? undefined : shownAddress(redirectUri)
  const { [apiResource(issuer)]: ofAccountApi = [], ...ofOthers } = resourceScopes
  return {
    clientId: client.id,
    name: client.name,
    logoUri: client.logo ? logoPath(client.logo.digest) : undefined,
    host,
    scopes: [...scopes, ...ofAccountApi],
    claims,
    apis: apiItems(ofOthers, registered),
    grantedAt,
  }
}
