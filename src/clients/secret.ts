import { hash } from 'node:crypto'
import { randomSecret } from '../crypto/token.ts'
import type { EntityManager } from '../database/database.ts'
import { type Client, ClientSecret } from '../entities/index.ts'
import type { ClientRegistration } from './registration.ts'

/** What is kept of a client secret; it holds 256 bits, so a plain digest cannot be turned back (TK-07). */
export function digestOf(secret: string): string {
  return hash('sha256', secret, 'base64url')
}

export function usesSecret(authMethod: string): boolean {
  return authMethod === 'client_secret_basic' || authMethod === 'client_secret_post'
}

export function newestFirst(secrets: readonly ClientSecret[]): ClientSecret[] {
  return secrets.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
}

/**
 * The client's secrets. One that only the client's row knows was written by the previous version,
 * which had a single one: it takes the place of all others.
 */
export async function knownSecrets(tx: EntityManager, client: Client): Promise<ClientSecret[]> {
  const { secretDigest } = client
  const found = await tx.find(ClientSecret, { client: client.id })
  const digests = new Set(found.map(({ digest }) => digest))
  if (!secretDigest || digests.has(secretDigest)) return found
  tx.remove(found)
  return [firstSecret(tx, client, secretDigest)]
}

/** The only secret of the client from now on; none, if it has none. */
export async function replaceSecrets(
  tx: EntityManager,
  client: Client,
  secret: string | undefined,
): Promise<void> {
  tx.remove(await tx.find(ClientSecret, { client: client.id }))
  client.secretDigest = null
  if (secret === undefined) return
  client.secretDigest = digestOf(secret)
  firstSecret(tx, client, client.secretDigest)
}

/** A new secret for a client that needs its first one; it keeps none that it does not use. */
export async function settleSecret(
  tx: EntityManager,
  client: Client,
  { authMethod }: ClientRegistration,
): Promise<string | undefined> {
  const needsNone = !usesSecret(authMethod)
  if (needsNone) await replaceSecrets(tx, client, undefined)
  if (needsNone || client.secretDigest !== null) return undefined
  const secret = randomSecret()
  await replaceSecrets(tx, client, secret)
  return secret
}

function firstSecret(tx: EntityManager, client: Client, digest: string): ClientSecret {
  return tx.create(ClientSecret, {
    client,
    digest,
    label: null,
    expiresAt: null,
    lastUsedAt: null,
    createdAt: new Date(),
  })
}
