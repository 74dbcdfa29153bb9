import type { Client, Configuration, ResourceServer } from 'oidc-provider'
import type { Config } from '../../config/config.ts'
import { CLIENT_LIFETIMES } from '../../config/limits.ts'
import { settingsOf } from '../clients/settings.ts'

const now = (): number => Math.floor(Date.now() / 1000)

/** Time to live of every artifact, in seconds; always at least 1, as the provider demands. */
export function lifetimes({ lifetimes: life }: Config): NonNullable<Configuration['ttl']> {
  return {
    AccessToken: (_ctx, token, client) => accessTokenSeconds(life, token, client),
    ClientCredentials: (_ctx, token, client) => accessTokenSeconds(life, token, client),
    AuthorizationCode: life.authorizationCode,
    IdToken: life.idToken,
    Interaction: life.interaction,
    Grant: life.grant,
    /** Idle lifetime from now, cut off at the absolute lifetime of the family (TK-05). */
    RefreshToken: (_ctx, token, client) => {
      const { refresh_idle_seconds: wanted } = settingsOf(client)
      const idle = chosen(wanted, CLIENT_LIFETIMES.refreshIdle) ?? life.refreshTokenIdle
      const begun = (token as { iiat?: number }).iiat ?? now()
      return Math.max(1, Math.min(idle, begun + life.refreshTokenAbsolute - now()))
    },
    Session: (_ctx, session) => sessionSeconds(life, session),
  }
}

/** What no registration makes counts as nothing. */
function chosen(
  seconds: unknown,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  const isWhole = typeof seconds === 'number' && Number.isSafeInteger(seconds)
  return isWhole && seconds >= min && seconds <= max ? seconds : undefined
}

/** A JWT cannot be called back: the client may shorten what its API says, never lengthen it (TK-17). */
function accessTokenSeconds(
  life: Config['lifetimes'],
  { resourceServer: api }: { readonly resourceServer?: ResourceServer | undefined },
  client: Client | undefined,
): number {
  const { access_token_seconds } = settingsOf(client)
  const wanted = chosen(access_token_seconds, CLIENT_LIFETIMES.accessToken)
  const ofApi = api?.accessTokenTTL
  return Math.min(ofApi ?? Infinity, wanted ?? ofApi ?? life.accessToken)
}

/**
 * What is left of a browser session's idle and absolute lifetime, counted from the authentication
 * (SE-04).
 */
export function sessionSeconds(
  life: Config['lifetimes'],
  {
    loginTs = now(),
    accountId,
    transient,
  }: {
    loginTs?: number | undefined
    accountId?: string | undefined
    transient?: boolean | undefined
  },
): number {
  const isRemembered = accountId !== undefined && !transient
  const [idle, absolute] = isRemembered
    ? [life.sessionRemembered, life.sessionRemembered]
    : [life.sessionIdle, life.sessionAbsolute]
  return Math.max(1, Math.min(idle, loginTs + absolute - now()))
}
