import type { Middleware } from 'koa'
import type { Sessions } from '../../../accounts/sessions/sessions.ts'
import type { TrustedDevices } from '../../../accounts/trusted-devices.ts'
import { seeOther } from '../../see-other.ts'
import { formOf, originOf } from '../../state.ts'
import { type AreaDeps, areaOf } from './area.ts'
import { visitorOf } from './session.ts'

export interface SessionsDeps extends AreaDeps {
  readonly sessions: Sessions
  readonly trustedDevices: TrustedDevices
}

const PATH = '/account/sessions'

/** Where the account is signed in; this device first (UX-34). */
export function showSessions(deps: SessionsDeps): Middleware {
  return async (ctx) => {
    const { account, sessionId } = visitorOf(ctx)
    const items = (await deps.sessions.list(account.id)).map(
      ({ id, userAgent, ip, door, createdAt, lastSeenAt }) => ({
        id,
        userAgent: userAgent ?? undefined,
        ip: ip ?? undefined,
        door,
        createdAt,
        lastSeenAt,
        isCurrent: id === sessionId,
      }),
    )
    deps.renderer.page(ctx, 'account/sessions', {
      ...areaOf(ctx, deps),
      csrf: deps.csrf.token(ctx),
      endAction: `${PATH}/end`,
      endOthersAction: `${PATH}/end-others`,
      distrustAction: `${PATH}/distrust`,
      trusted: await deps.trustedDevices.list(account),
      sessions: [
        ...items.filter(({ isCurrent }) => isCurrent),
        ...items.filter(({ isCurrent }) => !isCurrent),
      ],
    })
  }
}

/**
 * Ends one of the account's own sign-ins; an id that is over, or somebody else's, ends nothing and
 * answers alike (SE-08).
 */
export function endSession(deps: SessionsDeps): Middleware {
  return async (ctx) => {
    const { account, sessionId } = visitorOf(ctx)
    const id = formOf(ctx)['id'] ?? ''
    if (id !== sessionId) await deps.sessions.endOwn(account.id, id)
    deps.notices.leave(ctx, 'session_ended')
    seeOther(ctx, PATH)
  }
}

/** A device that skips the second step does so no more. */
export function endTrust(deps: SessionsDeps): Middleware {
  return async (ctx) => {
    await deps.trustedDevices.end(visitorOf(ctx).account.id, formOf(ctx)['id'] ?? '', originOf(ctx))
    deps.notices.leave(ctx, 'device_untrusted')
    seeOther(ctx, PATH)
  }
}

export function endOtherSessions(deps: SessionsDeps): Middleware {
  return async (ctx) => {
    const { account, sessionId } = visitorOf(ctx)
    await deps.sessions.endAll(account.id, { exceptSessionId: sessionId })
    deps.notices.leave(ctx, 'sessions_ended')
    seeOther(ctx, PATH)
  }
}
