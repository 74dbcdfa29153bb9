import type { EntityManager } from '../database/database.ts'
import { AuditEvent } from '../entities/index.ts'
import { TRAFFIC } from './event.ts'

/** What happened to an account, as its owner may read it. */
export class Activity {
  readonly #em: EntityManager

  constructor(em: EntityManager) {
    this.#em = em
  }

  /** Newest first; `before` is the `seq` of the last one seen. Without the tokens that apps fetch all day. */
  async listForAccount(
    accountId: string,
    { before, limit }: { readonly before?: number | undefined; readonly limit: number },
  ): Promise<AuditEvent[]> {
    const where = {
      accountId,
      type: { $nin: [...TRAFFIC] },
      ...(before === undefined ? {} : { seq: { $lt: before } }),
    }
    return this.#em.fork().find(AuditEvent, where, { orderBy: { seq: 'desc' }, limit })
  }
}
