import { z } from 'zod'
import { UpstreamRefusal } from './refusal.ts'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const TYPES = new Set([undefined, 'jwt', 'logout+jwt'])
const shortText = z.string().min(1).max(255)

/** OpenID Connect Back-Channel Logout 1.0, 2.4. With a nonce it would be an ID token. */
const LogoutClaims = z
  .looseObject({
    iss: z.string(),
    jti: shortText,
    sub: shortText.optional(),
    sid: shortText.optional(),
    nonce: z.undefined().optional(),
    events: z.looseObject({ [EVENT]: z.looseObject({}) }),
  })
  .refine(({ sub, sid }) => sub !== undefined || sid !== undefined)
export type LogoutClaims = z.infer<typeof LogoutClaims>

/** What a signed token says, if it is a logout token. Throws `UpstreamRefusal`. */
export function logoutClaims(payload: unknown, { typ }: { readonly typ?: string }): LogoutClaims {
  const claims = LogoutClaims.safeParse(payload)
  if (!claims.success || !TYPES.has(typ?.toLowerCase()))
    throw new UpstreamRefusal('logout_token', claims.error)
  return claims.data
}
