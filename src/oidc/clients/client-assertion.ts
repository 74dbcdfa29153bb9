import { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider'
import { ENDPOINTS } from '../endpoints.ts'
import { type ClientSettings, settingsOf } from './settings.ts'

/** Seconds by which other clocks may differ from ours (JW-04). */
export const CLOCK_TOLERANCE = 10
/** The longest life of an assertion, unless the client is registered for a longer one. */
const LIFETIME = 300

type Claims = Readonly<Record<string, unknown>>

/**
 * An assertion from before a restore may have been used after the backup, which does not know of
 * it: it counts as used.
 */
export function assertingSince(directory: { isSinceRestore(issuedAt: number): boolean }) {
  return (ctx: KoaContextWithOIDC, claims: Claims, header: Claims, client: Client): void => {
    const settings = settingsOf(client)
    assertAudience(ctx, claims['aud'], settings)
    assertLife(claims, settings)
    // The library knows `b64`, which JWTs may not use (RFC 7797 7); no extension has a meaning here.
    if (header['crit'] !== undefined)
      throw new errors.InvalidClientAuth('critical extensions (crit) are not supported')
    const { exp, iat = Number(exp) - LIFETIME } = claims
    if (!directory.isSinceRestore(Number(iat)))
      throw new errors.InvalidClientAuth('the assertion is older than the last restore')
  }
}

/**
 * TK-07: the audience is the issuer, or the token endpoint there if the client is registered so;
 * never both, which would be good elsewhere too.
 */
function assertAudience(
  { oidc, path }: KoaContextWithOIDC,
  aud: unknown,
  { assertion_audience: also }: ClientSettings,
): void {
  const [audience, ...others]: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  const tokenEndpoint = ENDPOINTS.token.path
  const isForEndpoint =
    also === 'token-endpoint' &&
    path === tokenEndpoint &&
    audience === `${oidc.issuer}${tokenEndpoint}`
  if (others.length > 0 || (audience !== oidc.issuer && !isForEndpoint))
    throw new errors.InvalidClientAuth('audience (aud) must equal the issuer identifier')
}

/**
 * TK-07: five minutes at most, or as long as the client is registered for. A longer life than five
 * minutes is counted from `iat`, which some libraries leave out (Nimbus does).
 */
function assertLife({ exp, iat }: Claims, { assertion_seconds: own }: ClientSettings): void {
  const now = Math.floor(Date.now() / 1000)
  const life = own ?? LIFETIME
  if (typeof exp !== 'number' || exp > now + life + CLOCK_TOLERANCE)
    throw new errors.InvalidClientAuth(
      own === undefined
        ? 'expiration (exp) must be at most five minutes ahead'
        : `expiration (exp) must be at most ${own} seconds ahead`,
    )
  if (iat === undefined && life <= LIFETIME) return
  if (typeof iat !== 'number' || iat > now + CLOCK_TOLERANCE)
    throw new errors.InvalidClientAuth('issued at (iat) must be there, and not in the future')
  if (own !== undefined && exp - iat > own)
    throw new errors.InvalidClientAuth(
      `issued at (iat) must be at most ${own} seconds before expiration (exp)`,
    )
}
