import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { EntityManager } from '../database/database.ts'
import { type Account, VerificationToken } from '../entities/index.ts'
import { AppError } from '../errors.ts'

/**
 * Puts a proven address in force: what was mailed to the old one is void, but for the ways back.
 * Throws the refusal if another account has taken the address.
 */
export async function setEmail(
  tx: EntityManager,
  account: Account,
  email: string,
  refusal: 'invalid_code' | 'invalid_link',
): Promise<void> {
  account.email = email
  account.emailVerifiedAt = new Date()
  account.credentialVersion += 1
  await tx.nativeDelete(VerificationToken, {
    subjectId: account.id,
    purpose: { $nin: ['undo_change_email', 'report_compromise'] },
  })
  try {
    await tx.flush()
  } catch (cause) {
    if (cause instanceof UniqueConstraintViolationException) throw new AppError(refusal, { cause })
    throw cause
  }
}
