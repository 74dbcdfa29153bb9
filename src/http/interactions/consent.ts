import type { Middleware } from 'koa'
import { redirectKind, shownAddress } from '../../clients/redirect-kind.ts'
import { LIFETIMES } from '../../config/limits.ts'
import { AppError } from '../../errors.ts'
import { claimsOf } from '../../oidc/claims/request.ts'
import { apiResource } from '../../oidc/clients/built-in-clients.ts'
import { missingAccess } from '../../oidc/interactions.ts'
import type { ApiItem, ClaimItem, ScopeItem } from '../../views/views.ts'
import { apiItems } from '../api-items.ts'
import { seeOther } from '../see-other.ts'
import { formOf } from '../state.ts'
import { type InteractionDeps, type Step, stepOf } from './interaction.ts'

/**
 * Names the app, the account, what is asked in words, for how long, and where the answer goes
 * (CL-05, UX-31).
 */
export function showConsent(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const account = await deps.accounts.findActive(String(step.interaction.session?.accountId))
    if (!account) throw new AppError('interaction_expired')
    const { client, redirectUri } = step.app
    const { scopes, claims, apis } = await askedItems(deps, step, account.id)
    const csrf = deps.csrf.token(ctx)
    deps.renderer.page(
      ctx,
      'interaction/consent',
      {
        action: step.url('consent'),
        csrf,
        person: { name: account.name, email: account.email },
        scopes,
        claims,
        apis,
        destination: { kind: redirectKind(redirectUri), host: shownAddress(redirectUri) },
        isOffline: scopes.some(({ scope }) => scope === 'offline_access'),
        lifetimeSeconds: LIFETIMES.grant,
        revokeHref: '/account/apps',
        switchAccount: { action: step.url('switch-account'), csrf },
        policyUrl: client.policyUri,
        termsUrl: client.tosUri,
      },
      step.app,
    )
  }
}

/** A one-time decision: the interaction is gone once it is made. */
export function submitConsent(deps: InteractionDeps): Middleware {
  return async (ctx) => {
    const step = stepOf(ctx)
    const decision = formOf(ctx)['decision']
    if (decision === 'deny') return seeOther(ctx, await deps.interactions.deny(step.interaction))
    const accountId = step.interaction.session?.accountId
    if (decision !== 'allow' || !accountId || step.interaction.prompt.name !== 'consent')
      throw new AppError('invalid_input')
    seeOther(ctx, await deps.interactions.consent(step.interaction, step.app.client, accountId))
  }
}

/**
 * What is missing, with what the account allowed before shown as such. The account API's scope is
 * described in our own words, those of other APIs under the API's name.
 */
async function askedItems(
  { consents, resources, issuer }: InteractionDeps,
  { interaction, app }: Step,
  accountId: string,
): Promise<{ scopes: ScopeItem[]; claims: ClaimItem[]; apis: ApiItem[] }> {
  const asked = missingAccess(interaction)
  const before = await consents.find(accountId, app.client.clientId)
  const isNew = (scope: string, resource?: string): boolean => {
    const allowed = resource === undefined ? before?.scopes : before?.resourceScopes[resource]
    return before !== undefined && !allowed?.includes(scope)
  }
  const withScopes = claimsOf(asked.scopes, asked.claims)
  const ours = apiResource(issuer)
  const { [ours]: ofAccountApi = [], ...ofOthers } = asked.resourceScopes
  const items = apiItems(ofOthers, await resources.find(Object.keys(ofOthers)))
  return {
    scopes: [
      ...asked.scopes.map((scope) => ({ scope, isNew: isNew(scope) })),
      ...ofAccountApi.map((scope) => ({ scope, isNew: isNew(scope, ours) })),
    ],
    claims: asked.claims
      .filter((claim) => !withScopes.includes(claim))
      .map((claim) => ({
        claim,
        isNew: before?.claims.includes(claim) === false,
      })),
    apis: items.map((api) => ({
      ...api,
      scopes: api.scopes.map((each) => ({ ...each, isNew: isNew(each.scope, api.identifier) })),
    })),
  }
}
