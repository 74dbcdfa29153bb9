import { LockMode } from '@mikro-orm/core'
import type { EntityManager } from '../database/database.ts'
import { Client, Resource } from '../entities/index.ts'
import { AppError } from '../errors.ts'

export interface ChangeOptions {
  /** The version that the change is made to: `conflict` if it is another by now. */
  readonly version?: number | undefined
  readonly tx?: EntityManager | undefined
}

/** Of those that would be given the same name, one goes on and the others see that it is taken. */
export async function lockName(tx: EntityManager, name: string): Promise<void> {
  await tx.execute('select pg_advisory_xact_lock(hashtextextended(?, 51))', [name])
}

/** The client, which nobody else changes until the transaction ends. Throws `not_found`, `conflict`. */
export async function locked(
  tx: EntityManager,
  id: string,
  version: number | undefined,
): Promise<Client> {
  const client = await tx.findOne(Client, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })
  return expected(client, version)
}

export async function lockedResource(
  tx: EntityManager,
  identifier: string,
  version: number | undefined,
): Promise<Resource> {
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE }
  return expected(await tx.findOne(Resource, { identifier }, lock), version)
}

function expected<T extends { version: number }>(found: T | null, version: number | undefined): T {
  if (!found) throw new AppError('not_found')
  if (version !== undefined && version !== found.version) throw new AppError('conflict')
  return found
}
