import type { Context } from 'koa'
import type { Provider } from 'oidc-provider'
import type { Config } from '../config/config.ts'
import { sessionSeconds } from './tokens/lifetimes.ts'

/** The signed-in browser of a request, as the session cookie proves it. */
export interface BrowserSession {
  readonly id: string
  readonly accountId: string
  readonly authenticatedAt: Date
  readonly expiresAt: Date
}

/** An idle lifetime is prolonged at most once in this time. */
const RESOLUTION_SECONDS = 60

/**
 * Reads the provider's session outside its own routes, for the account pages: being used there
 * prolongs it as well (SE-04).
 */
export async function findBrowserSession(
  provider: Provider,
  ctx: Context,
  lifetimes: Config['lifetimes'],
): Promise<BrowserSession | undefined> {
  const session = await provider.Session.get(ctx)
  if (!session.accountId || session.loginTs === undefined) return undefined
  const ttl = sessionSeconds(lifetimes, session)
  const now = Math.floor(Date.now() / 1000)
  if (now + ttl - (session.exp ?? 0) > RESOLUTION_SECONDS) await session.save(ttl)
  return {
    id: session.uid,
    accountId: session.accountId,
    authenticatedAt: new Date(session.loginTs * 1000),
    expiresAt: new Date((session.exp ?? 0) * 1000),
  }
}
