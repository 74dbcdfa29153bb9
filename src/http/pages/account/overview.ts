import type { Middleware } from 'koa'
import type { Consents } from '../../../accounts/consents.ts'
import { takesTwoFactors } from '../../../accounts/factors/levels.ts'
import type { OwnWaysIn } from '../../../accounts/factors/own-ways.ts'
import type { Passkeys } from '../../../accounts/factors/passkeys/passkeys.ts'
import type { RecoveryCodes } from '../../../accounts/factors/recovery-codes.ts'
import type { SignInPolicy } from '../../../accounts/factors/sign-in-policy.ts'
import type { Identities } from '../../../accounts/identities/identities.ts'
import type { Sessions } from '../../../accounts/sessions/sessions.ts'
import type { TrustedDevices } from '../../../accounts/trusted-devices.ts'
import type { Providers } from '../../../upstream/providers.ts'
import { type AreaDeps, areaOf } from './area.ts'
import { visitorOf } from './session.ts'

export interface OverviewDeps extends AreaDeps {
  readonly passkeys: Passkeys
  readonly sessions: Sessions
  readonly consents: Consents
  readonly identities: Identities
  readonly providers: Providers
  readonly recoveryCodes: RecoveryCodes
  readonly ownWays: OwnWaysIn
  readonly trustedDevices: TrustedDevices
  readonly signInPolicy: SignInPolicy
}

export function showOverview(deps: OverviewDeps): Middleware {
  return async (ctx) => {
    const { account } = visitorOf(ctx)
    const [ways, sessions, apps, passkeys, identities, providers, left] = await Promise.all([
      deps.ownWays.of(account.id),
      deps.sessions.list(account.id),
      deps.consents.list(account.id),
      deps.passkeys.list(account.id),
      deps.identities.list(account.id),
      deps.providers.offered(),
      takesTwoFactors(account) ? deps.recoveryCodes.left(account.id) : undefined,
    ])
    const takesTrust = deps.signInPolicy.trustedDeviceDays > 0
    deps.renderer.page(ctx, 'account/index', {
      ...areaOf(ctx, deps),
      emailVerified: account.emailVerifiedAt != null,
      ways,
      passkeyCount: passkeys.length,
      signal: passkeys.length > 0 ? deps.passkeys.signals(account, passkeys) : undefined,
      recoveryCodesLeft: left,
      passwordChangedAt: account.passwordChangedAt ?? undefined,
      ...(identities.length + providers.length > 0
        ? { connections: identities.map(({ provider }) => provider.name) }
        : {}),
      trusted: takesTrust
        ? (await deps.trustedDevices.list(account)).map(({ userAgent }) => userAgent)
        : undefined,
      sessionCount: sessions.length,
      appCount: apps.length,
    })
  }
}
