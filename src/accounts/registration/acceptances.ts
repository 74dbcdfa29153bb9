import type { AuditSink } from '../../audit/event.ts'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import type { Terms } from '../../config/config.ts'
import type { EntityManager } from '../../database/database.ts'
import { Acceptance } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'

export interface AcceptancesDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  /** Undefined: nothing has to be accepted. */
  readonly terms: Terms | undefined
}

/** What somebody has accepted, and on a page in which language. */
export interface AcceptedTerms {
  readonly version: string
  readonly locale?: string | null | undefined
}

const DOCUMENT = 'terms'

/** Once for an account and a version, however often it is sent; an account that is over accepts nothing. */
const ADD = `
insert into "acceptance" ("account_id", "document", "version", "locale", "accepted_at")
select "id", '${DOCUMENT}', ?, ?, now() from "account" where "id" = ? and "status" = 'active'
on conflict do nothing returning "version"`

/** Which version of the operator's terms has been accepted by whom. */
export class Acceptances {
  readonly #deps: AcceptancesDeps

  constructor(deps: AcceptancesDeps) {
    this.#deps = deps
  }

  /** What is to be accepted, if anything. */
  get terms(): Terms | undefined {
    return this.#deps.terms
  }

  /** Throws `terms_required` unless it is the version that counts. */
  require(version: string | undefined): void {
    const { terms } = this
    if (terms && version !== terms.version) throw new AppError('terms_required')
  }

  /** Whether an account has to accept something before it goes on. */
  async lacks(accountId: string): Promise<boolean> {
    const { terms } = this
    if (!terms) return false
    const wanted = { account: accountId, document: DOCUMENT, version: terms.version }
    return (await this.#deps.em.fork().count(Acceptance, wanted)) === 0
  }

  /** Throws `terms_required` for another version than the one that counts. */
  async accept(accountId: string, accepted: AcceptedTerms, origin: RequestOrigin): Promise<void> {
    this.require(accepted.version)
    await this.#deps.em.fork().transactional((tx) => this.add(tx, accountId, accepted, origin))
  }

  /** In the transaction of the account, or of what it is accepted with. */
  async add(
    tx: EntityManager,
    accountId: string,
    { version, locale }: AcceptedTerms,
    origin?: RequestOrigin,
  ): Promise<void> {
    const added = await tx.execute<unknown[]>(ADD, [version, locale ?? null, accountId])
    if (added.length === 0) return
    const detail = { version }
    await this.#deps.audit.append(tx, { type: 'terms_accepted', accountId, origin, detail })
  }

  /** The newest first. */
  list(accountId: string): Promise<Acceptance[]> {
    const newestFirst = { orderBy: { acceptedAt: 'desc' } } as const
    return this.#deps.em.fork().find(Acceptance, { account: accountId }, newestFirst)
  }
}
