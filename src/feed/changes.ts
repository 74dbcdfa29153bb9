import type { EntityManager } from '../database/database.ts'

/** PostgreSQL channel on which every instance hears of changes. Its name is older than its use. */
export const CHANNEL = 'gatehouse_client'

/** What every instance keeps a copy of. */
export type Kind = 'attribute' | 'client' | 'provider' | 'resource' | 'signing_key'

export type Changed = { readonly kind: Kind; readonly id: string }

/** Tells all instances when the transaction commits, and nobody when it does not. */
export async function announce(tx: EntityManager, changed: Changed): Promise<void> {
  await tx.execute('select pg_notify(?, ?)', [CHANNEL, JSON.stringify(changed)])
}
