import { LockMode, UniqueConstraintViolationException } from '@mikro-orm/core'
import { type Actor, type AuditSink, OPERATOR } from '../audit/event.ts'
import type { EntityManager } from '../database/database.ts'
import { Account } from '../entities/index.ts'
import { AppError } from '../errors.ts'

const USERNAME = /^[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?$/

/**
 * The names that apps know people by. The database gives one to every new account, and gives none
 * twice (decision 0055); only the operator changes it.
 */
export class Usernames {
  readonly #em: EntityManager
  readonly #audit: AuditSink

  constructor({ em, audit }: { readonly em: EntityManager; readonly audit: AuditSink }) {
    this.#em = em
    this.#audit = audit
  }

  /**
   * Throws `invalid_input` with a reason for `username`: a name that an account had before, erased
   * ones included, is refused too.
   */
  async change(accountId: string, typed: string, actor: Actor = OPERATOR): Promise<string> {
    const username = folded(typed)
    try {
      await this.#em.fork().transactional((tx) => this.#change(tx, accountId, username, actor))
    } catch (cause) {
      if (cause instanceof UniqueConstraintViolationException)
        throw refusedUsername('given_username', cause)
      throw cause
    }
    return username
  }

  async #change(tx: EntityManager, id: string, username: string, actor: Actor): Promise<void> {
    const account = await tx.findOne(Account, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })
    if (!account) throw new AppError('not_found')
    if (account.username === username) return
    await refuseReserved(tx, username)
    account.username = username
    await tx.flush()
    const detail = { fields: ['username'] }
    await this.#audit.append(tx, { type: 'profile_changed', accountId: id, actor, detail })
  }
}

/** What the operator names a new account. Throws as `change` does, but not for a name that was given. */
export async function chosenUsername(em: EntityManager, typed: string): Promise<string> {
  const username = folded(typed)
  await refuseReserved(em, username)
  return username
}

function folded(typed: string): string {
  const username = typed.normalize('NFKC').toLowerCase()
  if (!USERNAME.test(username)) throw refusedUsername('invalid_username')
  return username
}

async function refuseReserved(em: EntityManager, username: string): Promise<void> {
  const [row] = await em.execute<{ reserved: boolean }[]>(
    'select is_reserved_username(?) as reserved',
    [username],
  )
  if (row?.reserved !== false) throw refusedUsername('reserved_username')
}

export function refusedUsername(reason: string, cause?: unknown): AppError {
  return new AppError('invalid_input', { fields: { username: reason }, cause })
}
