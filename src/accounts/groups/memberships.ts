import { LockMode } from '@mikro-orm/core'
import { type Actor, type AuditSink, OPERATOR } from '../../audit/event.ts'
import { batched } from '../../batched.ts'
import { refused } from '../../clients/reasons.ts'
import { MAX_GROUPS_OF_ACCOUNT } from '../../config/limits.ts'
import type { EntityManager, Pool } from '../../database/database.ts'
import { Account } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'

const IS_NOW = `(m."until" is null or m."until" > now())`
const ADD = `insert into "group_member" ("group_id", "account_id", "since") select "id", ?, now() from "account_group" where "id" = ?
  on conflict do nothing returning "group_id"`
const REMOVE = `delete from "group_member" where "group_id" = ? and "account_id" = ? and "source" = 'operator' returning "group_id"`
const COUNT = `select count(distinct "group_id")::int as "count" from "group_member" where "account_id" = ?`
const MEMBERS = `select a."id", a."email", a."name", extract(epoch from min(m."since"))::float8 as "since" from "group_member" m join "account" a on a."id" = m."account_id"
  where m."group_id" = ? and ${IS_NOW} group by a."id" order by a."email"`
const OF_ACCOUNT = `select g."name", extract(epoch from min(m."since"))::float8 as "since" from "group_member" m join "account_group" g on g."id" = m."group_id"
  where m."account_id" = ? and ${IS_NOW} group by g."id"`
/** Read anew for each answer: who was taken out of a group is out of it in the next one. */
const NAMES = {
  name: 'account-groups',
  text: `select m."account_id"::text as "id", json_agg(distinct g."name") as "names" from "group_member" m join "account_group" g on g."id" = m."group_id"
  where m."account_id" = any($1::uuid[]) and ${IS_NOW} group by m."account_id"`,
}

export interface Membership {
  readonly name: string
  readonly since: Date
}

export interface Member extends Membership {
  readonly id: string
  readonly email: string
}

/** Which account is in which group. */
export class Memberships {
  readonly #em: EntityManager
  readonly #audit: AuditSink
  readonly #names: (accountId: string) => Promise<readonly string[]>

  constructor({ em, pool, audit }: { em: EntityManager; pool: Pool; audit: AuditSink }) {
    this.#em = em
    this.#audit = audit
    this.#names = batched((ids) => namesOf(pool, ids))
  }

  /**
   * False if it is in already. Throws `not_found`, or `invalid_input` for an account in as many
   * groups as there may be.
   */
  async add(groupId: string, accountId: string, actor: Actor = OPERATOR): Promise<boolean> {
    return this.#em.fork().transactional(async (tx) => {
      const lock = { lockMode: LockMode.PESSIMISTIC_WRITE }
      if (!(await tx.findOne(Account, { id: accountId }, lock))) throw new AppError('not_found')
      const added = await tx.execute<unknown[]>(ADD, [accountId, groupId])
      if (added.length === 0) return false
      const [counted] = await tx.execute<{ count: number }[]>(COUNT, [accountId])
      const max = MAX_GROUPS_OF_ACCOUNT
      if ((counted?.count ?? 0) > max)
        throw refused({ accounts: { code: 'too_many_groups', values: { max } } })
      const detail = { group: groupId }
      await this.#audit.append(tx, { type: 'group_member_added', accountId, actor, detail })
      return true
    })
  }

  /** False if nobody has put it there by hand: what another source says stays. */
  async remove(groupId: string, accountId: string, actor: Actor = OPERATOR): Promise<boolean> {
    return this.#em.fork().transactional(async (tx) => {
      const removed = await tx.execute<unknown[]>(REMOVE, [groupId, accountId])
      if (removed.length === 0) return false
      const detail = { group: groupId }
      await this.#audit.append(tx, { type: 'group_member_removed', accountId, actor, detail })
      return true
    })
  }

  async membersOf(groupId: string): Promise<readonly Member[]> {
    return (await this.#em.fork().execute<Member[]>(MEMBERS, [groupId])).map(dated)
  }

  async listOf(accountId: string): Promise<readonly Membership[]> {
    const found = await this.#em.fork().execute<Membership[]>(OF_ACCOUNT, [accountId])
    return found.map(dated).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** The names of all groups that it is in now, in one order everywhere. */
  namesOf(accountId: string): Promise<readonly string[]> {
    return this.#names(accountId)
  }
}

/** Raw statements give Unix time. */
function dated<T extends { readonly since: Date | number }>(row: T): T & { since: Date } {
  return { ...row, since: new Date(Number(row.since) * 1000) }
}

async function namesOf(pool: Pool, ids: readonly string[]): Promise<(readonly string[])[]> {
  const { rows } = await pool.query<{ id: string; names: string[] }>({ ...NAMES, values: [ids] })
  const found = new Map(rows.map(({ id, names }) => [id, names.toSorted()]))
  return ids.map((id) => found.get(id) ?? [])
}
