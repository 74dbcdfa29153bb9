import { LockMode } from '@mikro-orm/core'
import type { EntityManager } from '../database/database.ts'
import { Client } from '../entities/index.ts'
import { registrationOf } from './metadata.ts'
import { refused } from './reasons.ts'

/**
 * Clients and APIs share one namespace with the server itself: an `aud` names one of them only, so
 * that no token can be taken for another kind of token (JW-03).
 */
export async function refuseTakenName(
  tx: EntityManager,
  identifier: string,
  isOurs: (identifier: string) => boolean,
): Promise<void> {
  if (isOurs(identifier)) throw refused({ identifier: { code: 'identifier_of_server' } })
  // No id of today has the form of an identifier; those of clients from the web will.
  if ((await tx.count(Client, { id: identifier })) > 0)
    throw refused({ identifier: { code: 'identifier_of_client' } })
}

/** The client that serves the API, which stays as it is until the end of the transaction. */
export async function servingClient(
  tx: EntityManager,
  servedBy: string | null,
): Promise<Client | null> {
  if (servedBy === null) return null
  const lock = { lockMode: LockMode.PESSIMISTIC_READ }
  const client = await tx.findOne(Client, { id: servedBy }, lock)
  if (!client) throw refused({ servedBy: { code: 'unknown_client' } })
  if (registrationOf(client).authMethod === 'none')
    throw refused({ servedBy: { code: 'serving_unproven' } })
  return client
}
