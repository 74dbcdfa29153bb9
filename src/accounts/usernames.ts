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
    const username = typed.normalize('NFKC').toLowerCase()
    if (!USERNAME.test(username)) throw refused('invalid_username')
    try {
      await this.#em.fork().transactional((tx) => this.#change(tx, accountId, username, actor))
    } catch (cause) {
      if (cause instanceof UniqueConstraintViolationException)
        throw refused('given_username', cause)
      throw cause
    }
    return username
  }

  async #change(tx: EntityManager, id: string, username: string, actor: Actor): Promise<void> {
    const account = await tx.findOne(Account, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })
    if (!account) throw new AppError('not_found')
    if (account.username === username) return
    if (await isReserved(tx, username)) throw refused('reserved_username')
    account.username = username
    await tx.flush()
    const detail = { fields: ['username'] }
    await this.#audit.append(tx, { type: 'profile_changed', accountId: id, actor, detail })
  }
}

async function isReserved(tx: EntityManager, username: string): Promise<boolean> {
  const [row] = await tx.execute<{ reserved: boolean }[]>(
    'select is_reserved_username(?) as reserved',
    [username],
  )
  return row?.reserved !== false
}

function refused(reason: string, cause?: unknown): AppError {
  return new AppError('invalid_input', { fields: { username: reason }, cause })
}
