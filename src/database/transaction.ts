import type { EntityManager } from '@mikro-orm/postgresql'

/**
 * All of `work` or nothing: in the transaction that the caller has under way, so that several use
 * cases are one, or else in one of its own.
 */
export function within<T>(
  em: EntityManager,
  tx: EntityManager | undefined,
  work: (tx: EntityManager) => Promise<T>,
): Promise<T> {
  return tx ? work(tx) : em.fork().transactional(work)
}
