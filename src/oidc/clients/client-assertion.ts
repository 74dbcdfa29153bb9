import { errors, type KoaContextWithOIDC } from 'oidc-provider'

/** Seconds by which other clocks may differ from ours (JW-04). */
export const CLOCK_TOLERANCE = 10
/** The longest life of an assertion. */
const LIFETIME = 300

/**
 * An assertion from before a restore may have been used after the backup, which does not know of
 * it: it counts as used.
 */
export function assertingSince(directory: {
  isSinceRestore(issuedAt: number): boolean
}): typeof assertClientAssertion {
  return (ctx, claims, header) => {
    assertClientAssertion(ctx, claims, header)
    const { exp, iat = Number(exp) - LIFETIME } = claims
    if (!directory.isSinceRestore(Number(iat)))
      throw new errors.InvalidClientAuth('the assertion is older than the last restore')
  }
}

/** TK-07: the audience is the issuer as one string, and an assertion lives five minutes at most. */
function assertClientAssertion(
  ctx: KoaContextWithOIDC,
  { aud, exp, iat }: Readonly<Record<string, unknown>>,
  { crit }: Readonly<Record<string, unknown>>,
): void {
  const now = Math.floor(Date.now() / 1000)
  if (aud !== ctx.oidc.issuer)
    throw new errors.InvalidClientAuth('audience (aud) must equal the issuer identifier')
  if (typeof exp !== 'number' || exp > now + LIFETIME + CLOCK_TOLERANCE)
    throw new errors.InvalidClientAuth('expiration (exp) must be at most five minutes ahead')
  if (iat !== undefined && (typeof iat !== 'number' || iat > now + CLOCK_TOLERANCE))
    throw new errors.InvalidClientAuth('issued at (iat) must not be in the future')
  // The library knows `b64`, which JWTs may not use (RFC 7797 7); no extension has a meaning here.
  if (crit !== undefined)
    throw new errors.InvalidClientAuth('critical extensions (crit) are not supported')
}
