import type { Provider } from 'oidc-provider'
import type { CameBy } from '../accounts/came-by.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import { toldSignIn } from './sign-in-result.ts'

type Middleware = Parameters<Provider['use']>[0]

/**
 * A browser sign-in that the provider has just stored or ended, told to the keeper of the list of
 * sessions.
 */
export interface SessionRecords {
  opened(
    session: {
      id: string
      accountId: string
      clientId: string | undefined
      amr: string[]
      acr: string | undefined
      isRemembered: boolean
      authenticatedAt: Date
      secondProvedAt: Date | undefined
      expiresAt: Date
      upstream: CameBy | undefined
      broughtTwo: boolean
      trustedBy: string | undefined
      passkeyId: string | undefined
    },
    origin: RequestOrigin,
  ): Promise<unknown>
  seen(sessionId: string, expiresAt: Date): Promise<void>
  ended(sessionId: string): Promise<void>
}

/**
 * The row of a session is written before the answer leaves: a browser never holds a session that
 * the account cannot see.
 */
export function recordSessions(records: SessionRecords): Middleware {
  return async (ctx, next) => {
    await next()
    const { oidc } = ctx as {
      oidc?: {
        client?: { clientId: string }
        session?: ProviderSession
        result?: unknown
      }
    }
    const session = oidc?.session
    if (!session) return
    if (session.destroyed) return records.ended(session.uid)
    if (!session.accountId || !session.exp) return
    const expiresAt = new Date(session.exp * 1000)
    const told = toldSignIn(oidc?.result)
    if (!told.isNew) return records.seen(session.uid, expiresAt)
    const authenticatedAt = new Date((session.loginTs ?? 0) * 1000)
    await records.opened(
      {
        id: session.uid,
        accountId: session.accountId,
        clientId: oidc?.client?.clientId,
        amr: session.amr ?? [],
        acr: session.acr,
        isRemembered: !session.transient,
        authenticatedAt,
        secondProvedAt: told.hasTakenSecondStep ? authenticatedAt : undefined,
        expiresAt,
        upstream: told.upstream,
        broughtTwo: told.broughtTwo,
        trustedBy: told.trustedBy,
        passkeyId: told.passkeyId,
      },
      ctx.state.origin,
    )
  }
}

interface ProviderSession {
  readonly uid: string
  readonly accountId?: string
  readonly amr?: string[]
  readonly acr?: string
  readonly loginTs?: number
  readonly exp?: number
  readonly transient?: boolean
  readonly destroyed?: boolean
}
