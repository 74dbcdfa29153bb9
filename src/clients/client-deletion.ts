import type { EntityManager } from '../database/database.ts'
import { type Client, Consent, Resource, SessionProof } from '../entities/index.ts'
import { announce } from '../feed/changes.ts'
import { refused } from './reasons.ts'

export interface Deleted {
  /** People who had allowed it something. */
  readonly consents: number
}

/**
 * Takes the client away with what people allowed it. What it holds hangs on its being there: grants,
 * codes and tokens open nothing from now on, also if another client is given its name.
 */
export async function deleteClient(tx: EntityManager, client: Client): Promise<Deleted> {
  if (client.managedBy === 'system') throw refused({ id: { code: 'built_in' } })
  await tx.nativeDelete(SessionProof, { clientId: client.id })
  const consents = await tx.nativeDelete(Consent, { client: client.id })
  for (const { identifier } of await tx.find(Resource, { servedBy: client }))
    await announce(tx, { kind: 'resource', id: identifier })
  tx.remove(client)
  await tx.flush()
  return { consents }
}
