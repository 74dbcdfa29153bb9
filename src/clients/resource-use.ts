import type { EntityManager } from '../database/database.ts'
import { type Client, Resource } from '../entities/index.ts'
import { registrationOf } from './metadata.ts'
import { refused } from './reasons.ts'

const FORGET_CONSENTS = `update "consent" set "resource_scopes" = "resource_scopes" - ?::text where jsonb_exists("resource_scopes", ?)`

/** Refuses to take scopes away that clients of the API list and have of no other one. */
export async function refuseUsedScopes(
  tx: EntityManager,
  { identifier }: Resource,
  removed: readonly string[],
  clients: readonly Client[],
): Promise<void> {
  if (removed.length === 0) return
  const others = await tx.find(Resource, { identifier: { $ne: identifier } })
  const using = clients.filter((client) => {
    const { resources, scopes } = registrationOf(client)
    const elsewhere = others
      .filter((other) => resources.includes(other.identifier))
      .flatMap((other) => other.scopes)
    return removed.some((scope) => scopes.includes(scope) && !elsewhere.includes(scope))
  })
  if (using.length === 0) return
  const ids = using.map(({ id }) => id).join(', ')
  throw refused({ scopes: { code: 'scopes_in_use', values: { scopes: removed.join(' '), ids } } })
}

/** What people allowed at an API that is gone is no answer for one that is given its name later. */
export async function forgetConsents(tx: EntityManager, identifier: string): Promise<void> {
  await tx.execute(FORGET_CONSENTS, [identifier, identifier], 'run')
}
