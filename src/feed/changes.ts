import type { EntityManager } from '../database/database.ts'

/** PostgreSQL channel on which every instance hears of changed clients and resources. */
export const CHANNEL = 'gatehouse_client'

export type Changed = { readonly kind: 'client' | 'resource'; readonly id: string }

/** Tells all instances when the transaction commits, and nobody when it does not. */
export async function announce(tx: EntityManager, changed: Changed): Promise<void> {
  await tx.execute('select pg_notify(?, ?)', [CHANNEL, JSON.stringify(changed)])
}
