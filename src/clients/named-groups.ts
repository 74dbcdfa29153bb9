import { LockMode } from '@mikro-orm/core'
import type { EntityManager } from '../database/database.ts'
import { AccountGroup } from '../entities/index.ts'
import { groupKey } from './group-name.ts'
import { refused } from './reasons.ts'
import type { ClientRegistration } from './registration.ts'

/** What is meant, with the groups as they are called; each stays until the end of the transaction. */
export async function withGroups(
  tx: EntityManager,
  wanted: ClientRegistration,
): Promise<ClientRegistration> {
  if (wanted.groups === undefined || wanted.groups.length === 0) return wanted
  const keys = wanted.groups.map(groupKey)
  const found = await tx.find(
    AccountGroup,
    { nameKey: { $in: keys }, organisationId: null },
    { lockMode: LockMode.PESSIMISTIC_READ },
  )
  const unknown = wanted.groups.filter(
    (name) => !found.some(({ nameKey }) => nameKey === groupKey(name)),
  )
  if (unknown.length > 0)
    throw refused({ groups: { code: 'unknown_groups', values: { names: unknown.join(', ') } } })
  return { ...wanted, groups: found.map(({ name }) => name).toSorted() }
}
