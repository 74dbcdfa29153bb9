import { LockMode } from '@mikro-orm/core'
import { z } from 'zod'
import { type Actor, type AuditSink, OPERATOR } from '../../audit/event.ts'
import { clientsNaming } from '../../clients/clients-naming.ts'
import { displayName } from '../../clients/display-name.ts'
import { groupKey, groupName } from '../../clients/group-name.ts'
import { reasonsOf, refused, saying } from '../../clients/reasons.ts'
import type { EntityManager } from '../../database/database.ts'
import { AccountGroup } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'

const GroupSchema = z.strictObject({
  name: groupName,
  displayName: displayName.optional(),
  description: z
    .string()
    .max(500)
    .regex(/^\P{C}*$/u, saying('unshowable'))
    .optional(),
})
export type GroupInput = z.input<typeof GroupSchema>

const LIST = `select g."id", g."name", g."display_name" as "displayName", g."description", extract(epoch from g."created_at")::float8 as "createdAt",
  count(distinct m."account_id") filter (where m."until" is null or m."until" > now())::int as "members"
  from "account_group" g left join "group_member" m on m."group_id" = g."id" group by g."id" order by g."name_key"`
const INSERT = `insert into "account_group" ("id", "name", "name_key", "display_name", "description", "created_at")
  values (gen_random_uuid(), ?, ?, ?, ?, now()) on conflict do nothing returning "id"`

export interface ListedGroup {
  readonly id: string
  readonly name: string
  readonly displayName: string | null
  readonly description: string | null
  readonly createdAt: Date
  readonly members: number
}

/** The groups themselves; who is in them is for `memberships.ts`. */
export class Groups {
  readonly #em: EntityManager
  readonly #audit: AuditSink

  constructor({ em, audit }: { em: EntityManager; audit: AuditSink }) {
    this.#em = em
    this.#audit = audit
  }

  /** Throws `invalid_input` with the reason for each field. */
  async create(input: GroupInput, actor: Actor = OPERATOR): Promise<AccountGroup> {
    const parsed = GroupSchema.safeParse(input)
    if (!parsed.success) throw refused(reasonsOf(parsed.error))
    const { name, displayName: shown = null, description = null } = parsed.data
    return this.#em.fork().transactional(async (tx) => {
      const values = [name, groupKey(name), shown, description]
      const [made] = await tx.execute<{ id: string }[]>(INSERT, values)
      if (!made) throw refused({ name: { code: 'group_taken' } })
      await this.#audit.append(tx, { type: 'group_created', actor, detail: { group: made.id } })
      return tx.findOneOrFail(AccountGroup, made.id)
    })
  }

  /** By any spelling of the name. Throws `not_found`. */
  async find(
    name: string,
    em = this.#em.fork(),
    lock: { readonly lockMode?: LockMode } = {},
  ): Promise<AccountGroup> {
    const wanted = { nameKey: groupKey(name), organisationId: null }
    const group = await em.findOne(AccountGroup, wanted, lock)
    if (!group) throw new AppError('not_found')
    return group
  }

  async list(): Promise<readonly ListedGroup[]> {
    const found = await this.#em.fork().execute<ListedGroup[]>(LIST)
    return found.map((group) => ({ ...group, createdAt: new Date(Number(group.createdAt) * 1000) }))
  }

  /**
   * What names it, or is allowed to its members, must not be given to a later one of that name:
   * throws `invalid_input` with the clients that name it, or `not_found`.
   */
  async delete(name: string, actor: Actor = OPERATOR): Promise<AccountGroup> {
    return this.#em.fork().transactional(async (tx) => {
      const group = await this.find(name, tx, { lockMode: LockMode.PESSIMISTIC_WRITE })
      const clients = await clientsNaming(tx, 'visible_groups', group.name)
      if (clients.length > 0)
        throw refused({ name: { code: 'group_in_use', values: { ids: clients.join(', ') } } })
      tx.remove(group)
      await this.#audit.append(tx, { type: 'group_deleted', actor, detail: { group: group.id } })
      return group
    })
  }
}
