import { isPrivateHost } from '../private-networks.ts'
import { isPublicHttps, plainlyWritten } from '../public-url.ts'
import type { Reason } from './reasons.ts'

/** Whether the operator may name a host that is not on the public internet. */
export type MayName = (hostname: string) => boolean

/** Why an app may not be told of a sign-out there. What the name resolves to is judged at each call. */
export function checkLogoutUri(
  uri: string,
  { isPlain, mayName }: { readonly isPlain: boolean; readonly mayName: MayName },
): Reason | undefined {
  if (isPublicHttps(uri)) return undefined
  const url = plainlyWritten(uri)
  if (!url) return { code: 'not_public_https' }
  if (!mayName(url.hostname))
    return { code: isPrivateHost(url.hostname) ? 'private_logout' : 'not_public_https' }
  return url.protocol === 'http:' && !isPlain ? { code: 'plain_logout' } : undefined
}
