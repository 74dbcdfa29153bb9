import { randomSecret, sha256 } from '../crypto/token.ts'
import type { Client } from '../entities/index.ts'
import type { ClientRegistration } from './registration.ts'

/** What is kept of a client secret; it holds 256 bits, so a plain digest cannot be turned back (TK-07). */
export function digestOf(secret: string): string {
  return sha256(secret).toString('base64url')
}

export function usesSecret(authMethod: string): boolean {
  return authMethod === 'client_secret_basic' || authMethod === 'client_secret_post'
}

/** A new secret for a client that needs its first one; it keeps none that it does not use. */
export function settleSecret(
  client: Client,
  { authMethod }: ClientRegistration,
): string | undefined {
  if (!usesSecret(authMethod)) client.secretDigest = null
  if (!usesSecret(authMethod) || client.secretDigest !== null) return undefined
  const secret = randomSecret()
  client.secretDigest = digestOf(secret)
  return secret
}
