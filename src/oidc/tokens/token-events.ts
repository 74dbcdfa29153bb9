import type { Provider } from 'oidc-provider'
import type { AuditSink } from '../../audit/event.ts'
import { AlreadyConsumed } from '../adapters/refused-uses.ts'
import type { TokenRequestState } from './token-provider.ts'

interface UsedToken {
  readonly accountId?: string | undefined
  readonly clientId?: string | undefined
  readonly sessionUid?: string | undefined
  readonly consumed?: unknown
  readonly kind?: string
  readonly scope?: string | undefined
}

interface OidcState {
  readonly route?: string
  readonly client?: { readonly clientId: string }
  readonly params?: Readonly<Record<string, unknown>>
  readonly entities?: Readonly<Record<string, UsedToken | undefined>>
}

type Ctx = { readonly oidc?: OidcState; readonly status?: number }

/**
 * What the token and revocation endpoints do, told to the audit trail once it is stored, so outside
 * of the request unit: one event for each answer that gave, renewed, refused as reused, or ended
 * (LG-01).
 */
export function auditTokens(provider: Provider, audit: AuditSink): Parameters<Provider['use']>[0] {
  provider.on('grant.error', (ctx, error) => {
    const { oidc } = ctx as Ctx
    if (error instanceof AlreadyConsumed && oidc?.entities?.['RefreshToken']) {
      const { RefreshToken: token } = oidc.entities
      audit.record({
        ...about(oidc.client?.clientId, token),
        type: 'token_refreshed',
        outcome: 'failure',
        detail: { isRepeat: true },
      })
    }
    const reused = [oidc?.entities?.['RefreshToken'], oidc?.entities?.['AuthorizationCode']].find(
      (token) => token?.consumed,
    )
    if (reused)
      audit.record({
        ...about(oidc?.client?.clientId, reused),
        type: 'token_reuse_detected',
        outcome: 'failure',
        detail: { kind: kindOf(reused) },
      })
  })
  return async (ctx, next) => {
    await next()
    const { oidc, status } = ctx as Ctx
    if (status !== 200) return
    if (oidc?.route === 'token') {
      const grant = String(oidc.params?.['grant_type'])
      const { isRepeat } = ctx.state as TokenRequestState
      recordIssued(audit, {
        grant,
        isRepeat,
        clientId: oidc.client?.clientId,
        token: oidc.entities?.['AccessToken'] ?? oidc.entities?.['ClientCredentials'],
      })
    }
    if (oidc?.route !== 'revocation') return
    const revoked =
      oidc.entities?.['RefreshToken'] ??
      oidc.entities?.['AccessToken'] ??
      oidc.entities?.['ClientCredentials']
    if (revoked)
      audit.record({
        ...about(oidc?.client?.clientId, revoked),
        type: 'token_revoked',
        detail: { kind: kindOf(revoked) },
      })
  }
}

export interface Issued {
  readonly grant: string
  readonly clientId: string | undefined
  readonly token: UsedToken | undefined
  /**
   * Whether the refresh token was used a moment ago, and the same was given again: the origin tells
   * by whom.
   */
  readonly isRepeat?: boolean | undefined
}

export function recordIssued(audit: AuditSink, { grant, clientId, token, isRepeat }: Issued): void {
  const type = grant === 'refresh_token' ? 'token_refreshed' : 'token_issued'
  const detail = {
    grant,
    scopes: token?.scope?.split(' ').filter(Boolean),
    ...(isRepeat ? { isRepeat } : {}),
  }
  audit.record({ ...about(clientId, token), type, detail })
}

function about(clientId: string | undefined, token: UsedToken | undefined) {
  return {
    accountId: token?.accountId,
    clientId: clientId ?? token?.clientId,
    sessionId: token?.sessionUid,
  }
}

function kindOf({ kind }: UsedToken): string {
  return kind === 'AuthorizationCode'
    ? 'authorization_code'
    : kind === 'RefreshToken'
      ? 'refresh_token'
      : 'access_token'
}
