import { LockMode } from '@mikro-orm/core'
import type { Actor, AuditSink } from '../audit/event.ts'
import type { EntityManager } from '../database/database.ts'
import type { PostalAddress } from '../entities/account.ts'
import { Account, AccountAttribute } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import {
  type AttributesInput,
  type CheckedAttributes,
  checkAttributes,
} from './attributes/change.ts'
import { type AttributeDefinitions, isShown } from './attributes/definitions.ts'
import type { StandardAttribute } from './attributes/standard.ts'
import { type ColumnsInput, checkColumns } from './profile-checks.ts'

export interface ProfileChange extends ColumnsInput {
  readonly attributes?: AttributesInput
}

export interface ProfileDeps {
  readonly em: EntityManager
  readonly audit: AuditSink
  readonly definitions: AttributeDefinitions
}

/** By the names of their claims. */
export type ShownAttributes = { readonly [Name in StandardAttribute]?: string | null } & {
  readonly address?: PostalAddress | null
}

/** Two changes of one account wait for each other. */
const OURS = { lockMode: LockMode.PESSIMISTIC_WRITE } as const
const NONE: CheckedAttributes = { address: undefined, values: new Map(), faults: {} }

/** What an account says of its person. */
export class Profile {
  readonly #deps: ProfileDeps

  constructor(deps: ProfileDeps) {
    this.#deps = deps
  }

  /**
   * By the person, unless it is said who else: what the operator has not turned on is unknown to
   * the person alone. Throws `invalid_input` with the reason by field.
   */
  async update(accountId: string, change: ProfileChange, actor?: Actor): Promise<Account> {
    const { attributes, ...wanted } = change
    const { columns, faults } = checkColumns(wanted)
    const checked = attributes ? await this.#check(attributes, actor) : NONE
    const fields = { ...faults, ...checked.faults }
    if (Object.keys(fields).length > 0) throw new AppError('invalid_input', { fields })

    const account = await this.#deps.em.fork().transactional(async (em) => {
      const found = await em.findOneOrFail(Account, { id: accountId }, OURS)
      const { address } = checked
      Object.assign(found, { ...columns, ...(address === undefined ? {} : { address }) })
      if (checked.values.size > 0) await store(em, found, checked.values)
      return found
    })
    const changed = Object.entries({ ...wanted, ...attributes })
      .filter(([, value]) => value !== undefined)
      .map(([field]) => field)
    if (changed.length > 0)
      this.#deps.audit.record({
        type: 'profile_changed',
        accountId,
        actor,
        detail: { fields: changed },
      })
    return account
  }

  /** What the account says beside its columns. */
  async attributesOf(accountId: string): Promise<Readonly<Record<string, string>>> {
    const rows = await this.#deps.em.fork().find(AccountAttribute, { account: accountId })
    return Object.fromEntries(rows.map(({ name, value }) => [name, value]))
  }

  /** What the person sees of it: each field that is turned on, filled in or not. */
  async shownOf({ id, address }: Pick<Account, 'id' | 'address'>): Promise<ShownAttributes> {
    const shown = await this.#deps.definitions.shown()
    const values: ShownAttributes = shown.some(({ type }) => type !== 'address')
      ? await this.attributesOf(id)
      : {}
    return Object.fromEntries(
      shown.map(({ name, type }) => [
        name,
        type === 'address' ? (address ?? null) : (values[name as StandardAttribute] ?? null),
      ]),
    )
  }

  async #check(attributes: AttributesInput, actor: Actor | undefined): Promise<CheckedAttributes> {
    const definitions = await this.#deps.definitions.all()
    return checkAttributes(attributes, (name) => {
      const definition = definitions.get(name)
      return definition && (actor || isShown(definition)) ? definition : undefined
    })
  }
}

/** `updated_at` rises with them, as with the columns. */
async function store(
  em: EntityManager,
  account: Account,
  values: CheckedAttributes['values'],
): Promise<void> {
  account.updatedAt = new Date()
  const cleared = [...values].flatMap(([name, value]) => (value === null ? [name] : []))
  const kept = [...values].flatMap(([name, value]) =>
    value === null ? [] : [{ account: account.id, name, value }],
  )
  if (cleared.length > 0)
    await em.nativeDelete(AccountAttribute, { account: account.id, name: { $in: cleared } })
  if (kept.length > 0) await em.upsertMany(AccountAttribute, kept)
}
