import type { EntityManager } from '../database/database.ts'
import { type ScopeChoice, withScopes } from './allowed-scopes.ts'
import { withGroups } from './named-groups.ts'
import type { CheckedClient, ClientRegistration } from './registration.ts'

/** What is meant, with all that depends on the APIs and groups that there are. */
export async function settled(
  tx: EntityManager,
  wanted: CheckedClient,
  choice: ScopeChoice,
): Promise<ClientRegistration> {
  return withGroups(tx, await withScopes(tx, wanted, choice))
}
