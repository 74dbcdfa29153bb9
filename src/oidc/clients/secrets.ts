import type { Provider } from 'oidc-provider'
import { digestOf } from '../../clients/secret.ts'
import { equal } from '../../crypto/token.ts'
import type { StoredSecret } from './client-metadata.ts'
import type { SecretUses } from './secret-uses.ts'
import { settingsOf } from './settings.ts'

/** Longest secret that is digested for comparison, in bytes (TK-07). */
const MAX_SECRET = 1024

export type NoteUse = Pick<SecretUses, 'used'>

/**
 * Client secrets are kept as digests: compares SHA-256 with SHA-256, in constant time (JW-09). The
 * provider takes a secret in the header or in the form, of a client that is registered for either,
 * and refuses a request that has both (RFC 6749 2.3).
 */
export function useDigestedSecrets(provider: Provider, uses: NoteUse): void {
  provider.Client.prototype.compareClientSecret = function compareClientSecret(
    this: object,
    given: string,
  ): boolean {
    return hasSecret(this, given, uses)
  }
}

/**
 * Whether that is one of the client's secrets, wherever it came from. All of them are compared, so
 * that the time does not tell which one it is.
 */
export function hasSecret(client: object, given: string, uses: NoteUse): boolean {
  const { client_secrets: secrets = [] } = settingsOf(client)
  if (typeof given !== 'string' || given.length > MAX_SECRET) return false
  const digest = Buffer.from(digestOf(given))
  const now = Date.now() / 1000
  let right: StoredSecret | undefined
  for (const each of secrets) {
    const isEqual = equal(digest, Buffer.from(each.digest))
    if (isEqual && (each.expiresAt === null || each.expiresAt > now)) right = each
  }
  if (right?.id) uses.used(right.id)
  return right !== undefined
}
