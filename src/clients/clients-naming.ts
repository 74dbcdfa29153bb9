import type { EntityManager } from '../database/database.ts'

const NAMING = `select "id" from "client" where "metadata"->?::text @> to_jsonb(?::text) order by "created_at", "id"`

/** Ids of the clients that have the value in a list of their metadata. */
export async function clientsNaming(
  tx: EntityManager,
  list: 'allowed_resources' | 'visible_groups',
  value: string,
): Promise<string[]> {
  const rows = await tx.execute<{ id: string }[]>(NAMING, [list, value])
  return rows.map(({ id }) => id)
}
