import type { Provider } from 'oidc-provider'
import { API_CLIENT_ID } from '../clients/built-in-clients.ts'
import type { TokenRequestState } from './token-provider.ts'

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

interface Ctx {
  readonly oidc?: {
    readonly route?: string
    readonly entities?: { readonly RefreshToken?: UsedToken }
  }
}

/**
 * What the protocol's endpoints do to a refresh token of the account API happens to its session
 * too: a refresh prolongs it, a revocation (RFC 7009) or a reuse ends it, so that its access tokens
 * end as well.
 */
export function followApiSessions(records: ApiSessionRecords): Parameters<Provider['use']>[0] {
  return async (ctx, next) => {
    const ofApi = () => {
      const token = (ctx as Ctx).oidc?.entities?.RefreshToken
      return token?.clientId === API_CLIENT_ID ? token : undefined
    }
    const state = ctx.state as TokenRequestState
    state.beforeSpending = async () => {
      const { sessionUid, remainingTTL = 0 } = ofApi() ?? {}
      if (sessionUid) await records.seen(sessionUid, new Date(Date.now() + remainingTTL * 1000))
    }
    await next()
    const { sessionUid, consumed } = ofApi() ?? {}
    if (sessionUid && ((ctx as Ctx).oidc?.route === 'revocation' || consumed))
      await records.ended(sessionUid)
  }
}
