import type { Provider } from 'oidc-provider'
import type { CameBy } from '../../accounts/came-by.ts'
import type { OpenedSession } from '../../accounts/sessions/session-opening.ts'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import { API_CLIENT_ID } from '../clients/built-in-clients.ts'
import type { TokenRequestState } from './token-provider.ts'

/** The list of sign-ins that the person sees; a row has the id of the provider's session. */
export interface ApiSessions {
  open(
    session: {
      id: string
      accountId: string
      clientId: string
      door: 'api'
      amr: readonly string[]
      acr: string
      isRemembered: boolean
      authenticatedAt: Date
      secondProvedAt: Date | undefined
      upstream: CameBy | undefined
      expiresAt: Date
      credentialVersion: number
    },
    origin: RequestOrigin,
  ): Promise<OpenedSession>
  seen(id: string, expiresAt: Date): Promise<void>
  endSession(id: string): Promise<void>
}

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
