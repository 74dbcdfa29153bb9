import type { EntityManager } from '../database/database.ts'
import type { AccountStatus } from '../entities/account.ts'
import { Account } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { UUID } from './uuid.ts'

export interface WantedAccounts {
  /** A part of the name, the address or the user name, in any case. */
  readonly text?: string | undefined
  readonly status?: AccountStatus | undefined
  readonly limit: number
  /** The id of the last one of the page before. */
  readonly after?: string | undefined
}

export interface AccountPage {
  readonly accounts: readonly Account[]
  readonly hasMore: boolean
}

/** What is asked for is compared as it is: no character of it has a meaning. */
const FIND = `
select a."id" from "account" as a left join "account" as "last" on "last"."id" = ?::uuid
where (?::text is null or strpos(lower(a."name"), lower(?)) > 0 or strpos(a."email", lower(?)) > 0 or strpos(a."username", lower(?)) > 0)
  and (?::text is null or a."status" = ?) and ("last"."id" is null or (a."created_at", a."id") > ("last"."created_at", "last"."id"))
order by a."created_at", a."id" limit ?`

/** All accounts, page by page, the oldest first: one that is made meanwhile moves no other. */
export class AccountList {
  readonly #em: EntityManager

  constructor({ em }: { readonly em: EntityManager }) {
    this.#em = em
  }

  /** Throws `not_found` if there is no account `after` any more. */
  async page({ text, status, limit, after }: WantedAccounts): Promise<AccountPage> {
    const em = this.#em.fork()
    if (
      after !== undefined &&
      (!UUID.test(after) || (await em.count(Account, { id: after })) === 0)
    )
      throw new AppError('not_found')
    const part = text?.normalize('NFC') ?? null
    const state = status ?? null
    const rows = await em.execute<{ id: string }[]>(FIND, [
      after ?? null,
      part,
      part,
      part,
      part,
      state,
      state,
      limit + 1,
    ])
    const ids = rows.slice(0, limit).map(({ id }) => id)
    const accounts = await em.find(
      Account,
      { id: { $in: ids } },
      { orderBy: { createdAt: 'asc', id: 'asc' } },
    )
    return { accounts, hasMore: rows.length > limit }
  }
}
