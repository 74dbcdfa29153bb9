import type { Provider } from 'oidc-provider'
import { API_CLIENT_ID } from './built-in-clients.ts'

export interface ApiSessionRecords {
  seen(sessionId: string, expiresAt: Date): Promise<void>
  ended(sessionId: string): Promise<void>
}

interface UsedToken {
  readonly clientId?: string
  readonly sessionUid?: string
  readonly consumed?: unknown
  readonly remainingTTL: number
}

/**
 * What the protocol's endpoints do to a refresh token of the account API happens to its session too: a refresh prolongs it, a
 * revocation (RFC 7009) or a reuse ends it, so that its access tokens end as well.
 */
export function followApiSessions(records: ApiSessionRecords): Parameters<Provider['use']>[0] {
  return async (ctx, next) => {
    await next()
    const { oidc } = ctx as { oidc?: { route?: string; entities?: { RefreshToken?: UsedToken } } }
    const token = oidc?.entities?.RefreshToken
    if (token?.clientId !== API_CLIENT_ID || !token.sessionUid) return
    const { route } = oidc ?? {}
    if (route === 'revocation' || token.consumed) await records.ended(token.sessionUid)
    else if (route === 'token' && ctx.status === 200) await records.seen(token.sessionUid, new Date(Date.now() + token.remainingTTL * 1000))
  }
}
