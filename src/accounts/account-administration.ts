import { LockMode } from '@mikro-orm/core'
import type { AuditSink } from '../audit/event.ts'
import type { EntityManager } from '../database/database.ts'
import { Account } from '../entities/index.ts'
import { AppError, StartupError } from '../errors.ts'
import { canonicalEmail } from './canonical-email.ts'
import type { Deletion } from './deletion.ts'
import type { Mfa } from './factors/mfa.ts'
import type { Sessions } from './sessions/sessions.ts'
import { UUID } from './uuid.ts'

export interface AccountAdministrationDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly deletion: Deletion
  readonly mfa: Mfa
  readonly sessions: Sessions
}

const BY_OPERATOR = { by: 'operator' } as const

/**
 * What an operator does with somebody's account: shut a person out, or help one who has lost the
 * second factor.
 */
export class AccountAdministration {
  readonly #deps: AccountAdministrationDeps

  constructor(deps: AccountAdministrationDeps) {
    this.#deps = deps
  }

  /** By id or by any spelling of the address. Throws `not_found`. */
  async find(idOrEmail: string): Promise<Account> {
    const email = canonicalEmail(idOrEmail)
    const where = UUID.test(idOrEmail)
      ? { id: idOrEmail.toLowerCase() }
      : email
        ? { email }
        : undefined
    const account = where && (await this.#deps.em.fork().findOne(Account, where))
    if (!account) throw new AppError('not_found')
    return account
  }

  /** Nobody signs in from now on, and everything that is open ends (SE-07). */
  async disable(idOrEmail: string): Promise<void> {
    const { sessions } = this.#deps
    const { id } = await this.find(idOrEmail)
    await sessions.endAllWith(id, { cause: 'account_disabled' }, (tx) =>
      this.#move(tx, id, 'active', 'disabled'),
    )
  }

  async enable(idOrEmail: string): Promise<void> {
    const { id } = await this.find(idOrEmail)
    await this.#deps.em.fork().transactional((tx) => this.#move(tx, id, 'disabled', 'active'))
  }

  /** Brings an account back that its owner wanted deleted, whatever happened since. */
  async keep(idOrEmail: string): Promise<void> {
    const { id } = await this.find(idOrEmail)
    if (!(await this.#deps.deletion.keep(id)))
      throw new StartupError('This account is not about to be deleted.')
  }

  async signOut(idOrEmail: string): Promise<void> {
    await this.#deps.sessions.endAll((await this.find(idOrEmail)).id)
  }

  /**
   * For a person who has neither the authenticator nor recovery codes; the owner is told. Throws
   * `mfa_not_enabled`.
   */
  async removeMfa(idOrEmail: string): Promise<void> {
    const { mfa, sessions } = this.#deps
    const { id, mfaEnabled } = await this.find(idOrEmail)
    if (!mfaEnabled) throw new AppError('mfa_not_enabled')
    await sessions.endAllWith(id, { cause: 'mfa_disabled' }, (tx) =>
      mfa.remove(tx, id, { detail: BY_OPERATOR }),
    )
  }

  /** What is so already stays as it is; an account that is to be erased is not touched. */
  async #move(
    tx: EntityManager,
    id: string,
    from: 'active' | 'disabled',
    to: 'active' | 'disabled',
  ): Promise<void> {
    const account = await tx.findOne(Account, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })
    if (!account) throw new AppError('not_found')
    if (account.status === 'deleting')
      throw new StartupError(
        'This account is about to be deleted: nobody can sign in to it. To bring it back: account keep.',
      )
    if (account.status !== from) return
    account.status = to
    const type = to === 'disabled' ? 'account_disabled' : 'account_enabled'
    await this.#deps.audit.append(tx, { type, accountId: id, detail: BY_OPERATOR })
  }
}
