import { errors, type RefreshToken } from 'oidc-provider'
import type { CameBy } from '../../accounts/came-by.ts'
import { acrFor, amrOf, hasTakenSecondStep, levelOf } from '../../accounts/factors/levels.ts'
import type { Proof } from '../../accounts/factors/method.ts'
import { broughtTwo } from '../../accounts/factors/methods/upstream.ts'
import type { OpenedSession } from '../../accounts/sessions/session-opening.ts'
import type { AuditSink } from '../../audit/event.ts'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import { AppError } from '../../errors.ts'
import { API_CLIENT_ID, API_SCOPE, apiResource } from '../clients/built-in-clients.ts'
import type { ActiveAccounts } from '../find-account.ts'
import { askedFor, exchanging } from '../trips/request-unit.ts'
import type { ApiSessions } from './api-sessions.ts'
import {
  FirstPartyPairs,
  type FirstPartyPairsDeps,
  GTY,
  type TokenPair,
} from './first-party-pairs.ts'

export interface FirstPartyTokensDeps extends FirstPartyPairsDeps {
  readonly audit: AuditSink
  readonly sessions: ApiSessions
  readonly accounts: ActiveAccounts
  /** Absolute lifetime of a sign-in through the API, in seconds; the idle one is the refresh token's. */
  readonly sessionSeconds: number
}

export interface SignedIn {
  readonly accountId: string
  /** What was shown, step by step. */
  readonly proofs: readonly Proof[]
  /** Of the account when the factors were proven. */
  readonly credentialVersion: number
  readonly upstream?: CameBy | undefined
  /** For the trail. */
  readonly passkeyId?: string | undefined
}

/**
 * Tokens of `/api/auth/*`, made of the provider's own models: its endpoints refresh, introspect and
 * revoke them like any others.
 */
export class FirstPartyTokens {
  readonly #deps: FirstPartyTokensDeps
  readonly #pairs: FirstPartyPairs
  readonly #resource: string

  constructor(deps: FirstPartyTokensDeps) {
    this.#deps = deps
    this.#pairs = new FirstPartyPairs(deps)
    this.#resource = apiResource(deps.issuer)
  }

  /**
   * Opens a session without a cookie and mints its first pair. Throws `invalid_credentials` if the
   * credentials changed meanwhile.
   */
  async issue(
    { accountId, proofs, credentialVersion, upstream, passkeyId }: SignedIn,
    origin: RequestOrigin,
  ): Promise<{ tokens: TokenPair; session: OpenedSession }> {
    const { provider, sessions, sessionSeconds } = this.#deps
    const { Grant, RefreshToken, Session } = provider()
    const client = await this.#pairs.client()
    const authenticatedAt = new Date()
    const login = {
      accountId,
      amr: amrOf(proofs),
      acr: acrFor(levelOf(proofs)),
      loginTs: Math.floor(authenticatedAt.getTime() / 1000),
    }

    const grant = new Grant({ accountId, clientId: client.clientId })
    grant.addResourceScope(this.#resource, API_SCOPE)
    // Saving names it at once; all three are stored in one round trip.
    const granting = grant.save()
    const grantId = grant.jti
    const session = new Session()
    session.loginAccount(login)
    session.grantIdFor(client.clientId, grantId)

    const { loginTs: authTime, ...authentication } = login
    const refreshToken = new RefreshToken({
      ...authentication,
      authTime,
      client,
      grantId,
      sessionUid: session.uid,
      expiresWithSession: true,
      gty: GTY,
      resource: this.#resource,
      scope: API_SCOPE,
      rotations: 0,
    })
    const [tokens] = await Promise.all([
      this.#pairs.mint(client, grant, refreshToken),
      session.save(sessionSeconds),
      granting,
    ])
    const expiresAt = new Date(Date.now() + refreshToken.remainingTTL * 1000)
    const whose = { id: session.uid, accountId, clientId: API_CLIENT_ID, door: 'api' } as const
    const secondProvedAt = hasTakenSecondStep(proofs) ? authenticatedAt : undefined
    const { amr, acr } = login
    const times = { authenticatedAt, secondProvedAt }
    const brought = { broughtTwo: broughtTwo(proofs), upstream, passkeyId }
    const opening = { ...whose, ...times, ...brought, amr, acr, isRemembered: true }
    try {
      return {
        tokens,
        session: await sessions.open({ ...opening, expiresAt, credentialVersion }, origin),
      }
    } catch (error) {
      // A password changed since it was checked has ended all sessions but this one, which did not
      // exist yet (PW-10).
      await sessions.endSession(session.uid)
      throw error
    }
  }

  /**
   * Rotates a refresh token as the token endpoint does: one successor; reuse after the leeway ends
   * the session (TK-03). Throws `invalid_token`.
   */
  async refresh(value: string): Promise<TokenPair> {
    const renewed = await exchanging({ account: false, asked: askedFor() }, () =>
      this.#renew(value),
    ).catch(asInvalidToken)
    if (!renewed) throw new AppError('invalid_token')
    const { body, used, isRepeat } = renewed
    this.#deps.audit.record({
      ...aboutToken(used),
      type: 'token_refreshed',
      detail: { grant: GTY, ...(isRepeat ? { isRepeat } : {}) },
    })
    return body
  }

  async #renew(value: string) {
    const { sessions, accounts } = this.#deps
    const { Grant, RefreshToken } = this.#deps.provider()
    const used = await RefreshToken.find(value, { ignoreExpiration: true })
    if (used?.clientId !== API_CLIENT_ID || used.isExpired || !used.sessionUid)
      throw new AppError('invalid_token')
    const grant = await Grant.find(used.grantId ?? '')
    if (grant?.clientId !== API_CLIENT_ID || grant.accountId !== used.accountId)
      throw new AppError('invalid_token')
    if (!(await accounts.findActive(used.accountId, used.sessionUid)))
      throw new AppError('invalid_token')
    if (used.consumed) {
      this.#deps.audit.record({
        ...aboutToken(used),
        type: 'token_reuse_detected',
        outcome: 'failure',
        detail: { kind: 'refresh_token' },
      })
      await sessions.endSession(used.sessionUid)
      throw new AppError('invalid_token')
    }
    await used.consume().catch((error: unknown) => {
      this.#deps.audit.record({
        ...aboutToken(used),
        type: 'token_refreshed',
        outcome: 'failure',
        detail: { isRepeat: true },
      })
      throw error
    })

    const client = await this.#pairs.client()
    const { accountId, acr, amr, authTime, iiat, sessionUid, resource } = used
    const refreshToken = new RefreshToken({
      client,
      accountId,
      acr,
      amr,
      authTime,
      iiat,
      sessionUid,
      resource,
      grantId: grant.jti,
      expiresWithSession: true,
      scope: used.scope ?? '',
      gty: `${GTY} refresh_token`,
      rotations: (used.rotations ?? 0) + 1,
    })
    const body = await this.#pairs.mint(client, grant, refreshToken)
    await sessions.seen(used.sessionUid, new Date(Date.now() + refreshToken.remainingTTL * 1000))
    return { body, used }
  }
}

function aboutToken({ accountId, sessionUid }: RefreshToken) {
  return { accountId, clientId: API_CLIENT_ID, sessionId: sessionUid }
}

function asInvalidToken(cause: unknown): never {
  throw cause instanceof errors.InvalidGrant ? new AppError('invalid_token', { cause }) : cause
}
