import type { AuditSink } from '../../audit/event.ts'
import { OPERATOR } from '../../audit/event.ts'
import type { EntityManager } from '../../database/database.ts'
import { AttributeDefinition } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import type { Announcements } from '../../feed/announcements.ts'
import { announce } from '../../feed/changes.ts'
import { LookupCache } from '../../feed/lookup-cache.ts'
import { FIELDS, isField } from './standard.ts'

/** There are few: they are read together. */
const ALL = 'all'

export interface AttributeDefinitionsDeps {
  readonly em: EntityManager
  readonly audit: AuditSink
  readonly announcements: Announcements
}

/** By the names of the fields, and no others. */
type Definitions = ReadonlyMap<string, AttributeDefinition>

/**
 * What accounts may say of a person, and which of it people are asked for. From memory: every
 * instance forgets it when one of them changes it.
 */
export class AttributeDefinitions {
  readonly #deps: Omit<AttributeDefinitionsDeps, 'announcements'>
  readonly #cache: LookupCache<Definitions>

  constructor({ announcements, ...deps }: AttributeDefinitionsDeps) {
    this.#deps = deps
    this.#cache = new LookupCache({
      isLive: () => announcements.isLive,
      max: 1,
      load: () => this.#load(),
    })
    announcements.follow('attribute', {
      changed: () => this.#cache.missed(),
      missed: () => this.#cache.missed(),
    })
  }

  async all(): Promise<Definitions> {
    return (await this.#cache.find(ALL)) ?? new Map()
  }

  /** What people see and may fill in, in the order in which they are asked for it. */
  async shown(): Promise<readonly AttributeDefinition[]> {
    return [...(await this.all()).values()].filter(isShown)
  }

  /** Throws `invalid_input` for a name that is none. */
  async turn(names: readonly string[], isOn: boolean): Promise<void> {
    const unknown = names.filter((name) => !isField(name)).map((name) => [name, 'unknown_field'])
    if (unknown.length > 0)
      throw new AppError('invalid_input', { fields: Object.fromEntries(unknown) })
    await this.#deps.em.fork().transactional(async (tx) => {
      await tx.nativeUpdate(AttributeDefinition, { name: { $in: [...names] } }, { isOn })
      await announce(tx, { kind: 'attribute', id: ALL })
      const detail = { names, what: isOn ? 'turned_on' : 'turned_off' }
      await this.#deps.audit.append(tx, { type: 'attribute_changed', actor: OPERATOR, detail })
    })
    this.#cache.missed()
  }

  async #load(): Promise<Definitions> {
    const rows = await this.#deps.em.fork().findAll(AttributeDefinition)
    const found = new Map(rows.map((row) => [row.name, row]))
    return new Map(
      FIELDS.flatMap((name) => {
        const definition = found.get(name)
        return definition ? [[name, definition] as const] : []
      }),
    )
  }
}

export function isShown({ isOn, editableBy }: AttributeDefinition): boolean {
  return isOn && editableBy === 'user'
}
