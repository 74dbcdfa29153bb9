import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'
import { isBuiltIn } from './clients/built-in-clients.ts'
import { settingsOf } from './clients/settings.ts'
import {
  type ConsentStore,
  isProven,
  isRemembered,
  requestedAccess,
  skipsConsent,
  UNREMEMBERED,
} from './grants.ts'
import {
  type AbsoluteLifetimes,
  type LevelDeps,
  lacksAcr,
  lacksLevel,
  tellAcr,
  toldOf,
} from './level-checks.ts'
import { param } from './param.ts'

const { base, Check, Prompt } = interactionPolicy

/** Who knows which accounts have accepted the operator's terms. */
export interface TermsAcceptances {
  lacks(accountId: string): Promise<boolean>
}

/**
 * `prompt=create` (Initiating User Registration 1.0) and `select_account` come before login,
 * terms that changed after it; consent stays last.
 */
export function createInteractionPolicy({
  consents,
  acceptances,
  ...levels
}: LevelDeps & {
  consents: ConsentStore
  acceptances: TermsAcceptances
}): ReturnType<typeof base> {
  const policy = base()
  policy.add(new Prompt({ name: 'create', requestable: true }), 0)
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 1)

  const login = policy.get('login')
  // The library's own ask again for ever.
  for (const reason of ['essential_acr', 'essential_acrs']) login?.checks.remove(reason)
  const { lifetimes } = levels
  login?.checks.add(new Check('told_acr', 'never asked for', (ctx) => tellAcr(ctx, levels)), 0)
  login?.checks.add(
    new Check(
      'acr',
      'an authentication of another class is required',
      'unmet_authentication_requirements',
      (ctx) => lacksAcr(ctx, levels),
    ),
  )
  endWithLogin(login?.checks.get('claims_id_token_sub_value'))
  login?.checks.add(
    new Check('require_mfa', 'a stronger authentication is required', (ctx) =>
      lacksLevel(ctx, levels),
    ),
  )

  login?.checks.add(
    new Check('session_over', 'the session has reached its end', (ctx) => isOver(ctx, lifetimes)),
  )

  const terms = new Check('terms', 'the terms are not accepted', 'interaction_required', (ctx) =>
    lacksTerms(ctx, acceptances),
  )
  policy.add(new Prompt({ name: 'terms', requestable: false }, terms), policy.length - 1)

  const consent = policy.get('consent')
  if (consent) consent.details = (ctx) => ({ requested: requestedAccess(ctx) })
  consent?.checks.remove('native_client_prompt')
  // First, so that its error is the one of `prompt=none`.
  consent?.checks.add(
    new Check(
      'unproven_client',
      'a client that cannot prove its identity asks every time',
      'interaction_required',
      (ctx) => isUnproven(ctx),
    ),
    0,
  )
  consent?.checks.add(
    new Check(
      UNREMEMBERED,
      'the person has not allowed this at an address where others may answer',
      'consent_required',
      (ctx) => isTrustedElsewhere(ctx, consents),
    ),
  )
  return policy
}

/** Somebody else than the person that was named has signed in: they are not asked again and again. */
function endWithLogin(named: InstanceType<typeof Check> | undefined): void {
  if (!named) return
  const { check, description } = named
  named.check = async (ctx) => {
    const isLacking = await check(ctx)
    if (isLacking && toldOf(ctx.oidc).hasLogin) throw new errors.LoginRequired(description)
    return isLacking
  }
}

/**
 * The provider demands that every save leaves a session a second of life: without this, use would
 * prolong it for ever (SE-04).
 */
function isOver(
  { oidc }: KoaContextWithOIDC,
  { sessionAbsolute, sessionRemembered }: AbsoluteLifetimes,
): boolean {
  const { session } = oidc
  if (!session?.accountId || toldOf(oidc).hasLogin) return false
  return session.past(session.transient ? sessionAbsolute : sessionRemembered)
}

/** Who has declined them gets to their own account all the same. */
async function lacksTerms(
  { oidc }: KoaContextWithOIDC,
  acceptances: TermsAcceptances,
): Promise<boolean> {
  const { client, session } = oidc
  if (!client || !session?.accountId) return false
  const { result } = oidc as { result?: { terms?: object } }
  if (result?.terms && isBuiltIn(client.clientId)) return false
  return acceptances.lacks(session.accountId)
}

/** Where anybody could pose as the app, the person is asked each time, and nothing is silent (AZ-14). */
function isUnproven({ oidc }: KoaContextWithOIDC): boolean {
  return (
    oidc.client !== undefined &&
    !isProven(oidc.client, param(oidc.params, 'redirect_uri')) &&
    !hasJustConsented(oidc)
  )
}

/**
 * What the operator's own app got without a question at its https address is allowed there only:
 * where others may answer, the person has to have allowed it.
 */
async function isTrustedElsewhere(
  ctx: KoaContextWithOIDC,
  consents: ConsentStore,
): Promise<boolean> {
  const { client, params } = ctx.oidc
  if (!client || !settingsOf(client).first_party || hasJustConsented(ctx.oidc)) return false
  if (skipsConsent(client, param(params, 'redirect_uri'))) return false
  return !(await isRemembered(ctx, consents))
}

function hasJustConsented(oidc: KoaContextWithOIDC['oidc']): boolean {
  return Boolean((oidc as { result?: { consent?: unknown } }).result?.consent)
}
