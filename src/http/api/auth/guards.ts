import type { Context } from 'koa'
import { ACR, takesTwoFactors } from '../../../accounts/factors/levels.ts'
import { fallsShort } from '../../../accounts/sessions/session-level.ts'
import { LIFETIMES } from '../../../config/limits.ts'
import { AppError } from '../../../errors.ts'
import { API_SCOPE } from '../../../oidc/clients/built-in-clients.ts'
import type { Guard } from '../operation.ts'
import { bearerScheme, findPrincipal, type Person } from '../principal.ts'
import type { AuthApiDeps } from './deps.ts'

const scheme = bearerScheme('account')

const bearer = {
  words: 'Authorization: Bearer, an access token of this API with the scope account.',
  isBearer: true,
  refusals: ['invalid_token', 'forbidden'],
  precheck: scheme.bearsToken,
} as const

/** A live token with the scope; else 401 or 403 with `WWW-Authenticate` (RFC 6750 3). */
export const person: Guard<AuthApiDeps, Person> = {
  ...bearer,
  async admit(ctx, deps) {
    const caller = await recovered.admit(ctx, deps)
    if (deps.signInPolicy.isStrict && caller.level === 'recovered')
      throw new AppError('mfa_required', { extra: { methods: [] } })
    return caller
  },
}

/**
 * Also who signed in by a recovery code where two factors are demanded. It opens what takes the lost
 * one away or makes another, and signing out, and nothing else (TF-11).
 */
export const recovered: Guard<AuthApiDeps, Person> = {
  ...bearer,
  async admit(ctx, deps) {
    const caller = await findPerson(ctx, deps)
    if (!caller) throw scheme.unauthorized(ctx)
    if (!caller.scopes.includes(API_SCOPE)) {
      scheme.challenge(ctx, `, error="insufficient_scope", scope="${API_SCOPE}"`)
      throw new AppError('forbidden')
    }
    ctx.state.principal = caller
    return caller
  },
}

/** Who is not signed in yet: what is no live token is ignored. */
export const stranger: Guard<AuthApiDeps, undefined> = {
  words: 'Only without a valid access token.',
  isBearer: false,
  refusals: ['already_signed_in'],
  async admit(ctx, deps) {
    if (await findPerson(ctx, deps)) throw new AppError('already_signed_in')
  },
}

export const refreshToken: Guard<AuthApiDeps, undefined> = {
  words: 'The refresh token is the credential.',
  isBearer: false,
  refusals: ['invalid_token'],
  admit: async () => undefined,
}

/** What a refusal says of the way in; of a proof that is too old, what it must reach (RFC 9470 3). */
export function challenge(ctx: Context, error: AppError): void {
  if (error.code === 'reauthentication_required') {
    const { principal } = ctx.state
    const isTwo = principal?.kind === 'person' && takesTwoFactors(principal)
    const acr = isTwo ? `, acr_values="${ACR.multiFactor}"` : ''
    scheme.challenge(
      ctx,
      `, error="insufficient_user_authentication", max_age="${LIFETIMES.freshAuthentication}"${acr}`,
    )
  }
  if (error.status === 401 && !ctx.response.get('WWW-Authenticate')) scheme.challenge(ctx)
}

/** A token of a service is none here; neither is that of an app that may not call this API any more. */
async function findPerson(ctx: Context, deps: AuthApiDeps): Promise<Person | undefined> {
  const { directory, signInPolicy } = deps
  const principal = await findPrincipal(
    ctx,
    deps,
    async ({ kind, clientId, issuedAt }) =>
      kind === 'person' &&
      (await directory.honours(clientId, issuedAt)) &&
      directory.usesAccountApi(clientId),
  )
  if (principal?.kind !== 'person') return undefined
  // Where two factors are demanded, a sign-in with one has no API, as it has no pages (TF-11).
  return fallsShort(principal.level, signInPolicy) ? undefined : principal
}
