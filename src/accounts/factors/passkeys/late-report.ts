import { LIFETIMES } from '../../../config/limits.ts'
import type { EntityManager } from '../../../database/database.ts'
import { Account } from '../../../entities/index.ts'
import { AppError } from '../../../errors.ts'
import type { SecurityEvents } from '../../security-events.ts'
import type { StoredKey } from './stored-keys.ts'

/**
 * A recovery took the place of a passkey, and it signs: who holds it may be the owner that a thief
 * of the mailbox has shut out. For a week they may still report that, which freezes the account.
 */
export async function lateReport(
  { em, events }: { readonly em: EntityManager; readonly events: SecurityEvents },
  { accountId, mayFreeze }: StoredKey,
): Promise<AppError | undefined> {
  if (!mayFreeze) return undefined
  const { linkSecret: report } = await em.fork().transactional(async (tx) => {
    const account = await tx.findOneOrFail(Account, { id: accountId })
    return events.issueReport(tx, account, account.email, LIFETIMES.code)
  })
  return new AppError('passkey_refused', { report })
}
