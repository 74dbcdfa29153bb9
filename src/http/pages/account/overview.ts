import type { Middleware } from 'koa'
import type { Consents } from '../../../accounts/consents.ts'
import { takesTwoFactors } from '../../../accounts/factors/levels.ts'
import type { Passkeys } from '../../../accounts/factors/passkeys/passkeys.ts'
import type { RecoveryCodes } from '../../../accounts/factors/recovery-codes.ts'
import type { Identities } from '../../../accounts/identities/identities.ts'
import type { Sessions } from '../../../accounts/sessions/sessions.ts'
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
}

export function showOverview(deps: OverviewDeps): Middleware {
  return async (ctx) => {
    const { account } = visitorOf(ctx)
    const [sessions, apps, passkeys, identities, providers, recoveryCodesLeft] = await Promise.all([
      deps.sessions.list(account.id),
      deps.consents.list(account.id),
      deps.passkeys.list(account.id),
      deps.identities.list(account.id),
      deps.providers.offered(),
      takesTwoFactors(account) ? deps.recoveryCodes.left(account.id) : undefined,
    ])
    deps.renderer.page(ctx, 'account/index', {
      ...areaOf(ctx, deps),
      emailVerified: account.emailVerifiedAt != null,
      mfaEnabled: account.mfaEnabled,
      passkeyCount: passkeys.length,
      signal: passkeys.length > 0 ? deps.passkeys.signals(account, passkeys) : undefined,
      recoveryCodesLeft,
      passwordChangedAt: account.passwordChangedAt ?? undefined,
      ...(identities.length + providers.length > 0
        ? { connections: identities.map(({ provider }) => provider.name) }
        : {}),
      sessionCount: sessions.length,
      appCount: apps.length,
    })
  }
}
