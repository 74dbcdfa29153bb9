import { LockMode } from '@mikro-orm/core'
import { type Actor, type AuditSink, OPERATOR } from '../audit/event.ts'
import type { EntityManager } from '../database/database.ts'
import { Account } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { canonicalEmail } from './canonical-email.ts'
import type { Deletion } from './deletion.ts'
import type { Totp } from './factors/totp.ts'
import type { Sessions } from './sessions/sessions.ts'
import { UUID } from './uuid.ts'

export interface AccountAdministrationDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly deletion: Deletion
  readonly mfa: Totp
  readonly sessions: Sessions
}

/**
 * What is done to somebody's account by others: shut a person out, or help one who has lost the
 * second factor. By the operator, unless it is said who else.
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

  /**
   * Nobody signs in from now on, and everything that is open ends (SE-07). Throws `conflict` if the
   * account is about to be deleted.
   */
  async disable(idOrEmail: string, actor: Actor = OPERATOR): Promise<void> {
    const { sessions } = this.#deps
    const { id } = await this.find(idOrEmail)
    await sessions.endAllWith(id, { cause: 'account_disabled' }, (tx) =>
      this.#move(tx, id, 'disabled', actor),
    )
  }

  /** Throws `conflict` if the account is about to be deleted. */
  async enable(idOrEmail: string, actor: Actor = OPERATOR): Promise<void> {
    const { id } = await this.find(idOrEmail)
    await this.#deps.em.fork().transactional((tx) => this.#move(tx, id, 'active', actor))
  }

  /**
   * Brings an account back that its owner wanted deleted, whatever happened since. Throws
   * `conflict` if it is not about to be deleted.
   */
  async keep(idOrEmail: string, actor: Actor = OPERATOR): Promise<void> {
    const { id } = await this.find(idOrEmail)
    if (!(await this.#deps.deletion.keep(id, actor))) throw new AppError('conflict')
  }

  async signOut(idOrEmail: string): Promise<void> {
    await this.#deps.sessions.endAll((await this.find(idOrEmail)).id)
  }

  /**
   * For a person who has neither the authenticator nor recovery codes; the owner is told. Throws
   * `mfa_not_enabled`.
   */
  async removeMfa(idOrEmail: string, actor: Actor = OPERATOR): Promise<void> {
    const { mfa, sessions } = this.#deps
    const { id, mfaEnabled } = await this.find(idOrEmail)
    if (!mfaEnabled) throw new AppError('mfa_not_enabled')
    await sessions.endAllWith(id, { cause: 'mfa_disabled' }, (tx) => mfa.remove(tx, id, { actor }))
  }

  /** What is so already stays as it is; an account that is to be erased is not touched. */
  async #move(
    tx: EntityManager,
    id: string,
    to: 'active' | 'disabled',
    actor: Actor,
  ): Promise<void> {
    const account = await tx.findOne(Account, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE })
    if (!account) throw new AppError('not_found')
    if (account.status === 'deleting') throw new AppError('conflict')
    if (account.status === to) return
    account.status = to
    const type = to === 'disabled' ? 'account_disabled' : 'account_enabled'
    await this.#deps.audit.append(tx, { type, accountId: id, actor })
  }
}
