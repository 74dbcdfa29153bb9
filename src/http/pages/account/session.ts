import type { Context, Middleware } from 'koa'
import type { SignInPolicy } from '../../../accounts/factors/sign-in-policy.ts'
import {
  ageSeconds,
  fallsShort,
  isFresh,
  type SessionLevel,
  type Shown,
  sessionLevelOf,
} from '../../../accounts/sessions/session-level.ts'
import type { Sessions } from '../../../accounts/sessions/sessions.ts'
import type { Config } from '../../../config/config.ts'
import { secondsAgo } from '../../../database/clock.ts'
import type { Account } from '../../../entities/index.ts'
import type { AuthorizationServer } from '../../../oidc/authorization-server.ts'
import { findBrowserSession } from '../../../oidc/browser-session.ts'
import { seeOther } from '../../see-other.ts'
import { authorizationUrl } from '../sign-in.ts'
import type { PageOf } from './page-of.ts'

export interface AccountSessionDeps {
  readonly config: Config
  readonly authorizationServer: AuthorizationServer
  readonly sessions: Sessions
  readonly signInPolicy: SignInPolicy
}

/**
 * Who is looking at the account pages, as a live session of this browser proves it; nothing in a
 * request can name another (IN-05).
 */
export interface Visitor extends Shown {
  readonly account: Account
  readonly sessionId: string
  readonly level: SessionLevel
  /** A recovery of the account waits until then. */
  readonly recoveryOpensAt: Date | undefined
}

const FACTOR = '/account/mfa'
const PASSKEYS = '/account/passkeys'
/** What a person with a recovery code reaches where two factors are demanded (TF-11). */
const REPLACES_FACTOR = [FACTOR, PASSKEYS]

/** Lets signed-in people through; others sign in first and come back to the page they wanted. */
export function accountSession(deps: AccountSessionDeps, pageOf: PageOf): Middleware {
  const { config, signInPolicy } = deps
  return async (ctx, next) => {
    ctx.set('Cache-Control', 'no-store')
    const visitor = await findVisitor(ctx, deps)
    // Where two factors are demanded, a sign-in with one has none of these pages: the next one asks
    // for the second, or sets it up (TF-11).
    if (!visitor || fallsShort(visitor.level, signInPolicy))
      return seeOther(ctx, authorizationUrl({ issuer: config.issuer, returnTo: pageOf(ctx.path) }))
    if (
      signInPolicy.isStrict &&
      visitor.level === 'recovered' &&
      !REPLACES_FACTOR.some((path) => ctx.path.startsWith(path))
    )
      return seeOther(ctx, lostFactorOf(visitor.account, signInPolicy))
    ctx.state.visitor = visitor
    await next()
  }
}

/**
 * Sensitive pages ask who it is once more when the proof is older than ten minutes, and go on where
 * the person was (SE-10, UX-36).
 */
export function freshSession({ config }: AccountSessionDeps, pageOf: PageOf): Middleware {
  const { issuer, lifetimes } = config
  const maxAgeSeconds = lifetimes.freshAuthentication
  return async (ctx, next) => {
    const visitor = visitorOf(ctx)
    if (isFresh(visitor)) return next()
    // A young sign-in that did not show the second factor would be young enough for `max_age`.
    const again =
      ageSeconds(visitor.authenticatedAt) > maxAgeSeconds
        ? { maxAgeSeconds }
        : ({ prompt: 'login' } as const)
    seeOther(ctx, authorizationUrl({ issuer, returnTo: pageOf(ctx.path), ...again }))
  }
}

/** Throws unless the route is behind `accountSession`. */
export function visitorOf(ctx: Context): Visitor {
  const visitor = ctx.state.visitor
  if (!visitor) throw new Error('this route has no accountSession')
  return visitor
}

/** Cookie and row must both be there: ending either ends the sign-in. */
async function findVisitor(
  ctx: Context,
  { config, authorizationServer, sessions }: AccountSessionDeps,
): Promise<Visitor | undefined> {
  const browser = await findBrowserSession(authorizationServer.provider, ctx, config.lifetimes)
  if (!browser) return undefined
  const session = await sessions.find(browser.id)
  const account = session?.account
  if (
    !session ||
    !account?.isActive() ||
    account.mustResetPassword ||
    account.id !== browser.accountId
  ) {
    // Left alive, the other half would sign the browser in again at once, and so on for ever.
    await sessions.endSession(browser.id)
    return undefined
  }
  await sessions.seen(browser.id, browser.expiresAt)
  const { amr, secondProvedAgo, recoveryOpensMs } = session
  const secondProvedAt = secondProvedAgo == null ? undefined : secondsAgo(secondProvedAgo)
  const shown = { strongest: account.strongest, secondProvedAt }
  const isTrusted = session.isTrusted === true
  const level = sessionLevelOf({ ...shown, amr, isTrusted, isVouched: session.isVouched === true })
  return {
    ...shown,
    account,
    sessionId: browser.id,
    authenticatedAt: browser.authenticatedAt,
    level,
    recoveryOpensAt: recoveryOpensMs == null ? undefined : new Date(recoveryOpensMs),
  }
}

/** Where the factor that a recovery code stood in for is taken away, or another is made. */
function lostFactorOf({ mfaEnabled }: Account, { offersPasskeys }: SignInPolicy): string {
  if (mfaEnabled) return `${FACTOR}/disable`
  return offersPasskeys ? PASSKEYS : FACTOR
}
