import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { EntityManager } from '../../database/database.ts'
import { Account } from '../../entities/index.ts'
import { AppError, type ErrorCode } from '../../errors.ts'
import { recount } from '../factors/ways.ts'
import type { Admission } from './registration.ts'

/** A person whose address is proven, or vouched for by the operator. */
export interface MadeAccount {
  readonly id: string
  readonly name: string
  readonly email: string
  /** Absent or empty: the database gives one. */
  readonly username?: string
  readonly locale?: string | null | undefined
  readonly passwordHash: string | null
}

/**
 * The one place where an account comes into being. The unique address decides between two at once:
 * the other gets `taken`.
 */
export async function makeAccount(
  tx: EntityManager,
  admission: Admission,
  made: MadeAccount,
  taken: ErrorCode,
): Promise<Account> {
  admission.check(tx, made.email)
  const now = new Date()
  const account = tx.create(Account, {
    ...made,
    locale: made.locale ?? null,
    emailVerifiedAt: now,
    passwordChangedAt: now,
    isInvited: admission.isInvited,
  })
  try {
    await tx.flush()
  } catch (cause) {
    if (cause instanceof UniqueConstraintViolationException) throw new AppError(taken, { cause })
    throw cause
  }
  await recount(tx, made.id)
  return account
}
