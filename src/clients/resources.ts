import { isDeepStrictEqual } from 'node:util'
import type { AuditSink } from '../audit/event.ts'
import type { EntityManager } from '../database/database.ts'
import { within } from '../database/transaction.ts'
import { Client, Resource } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { announce } from '../feed/changes.ts'
import { clientsNaming } from './clients-naming.ts'
import type { ChangeOptions } from './locked.ts'
import { lockedResource, lockName } from './locked.ts'
import { refused } from './reasons.ts'
import {
  parseResource,
  RESOURCE_FIELDS,
  type ResourceChange,
  type ResourceInput,
  settingsOf,
} from './resource-fields.ts'
import { refuseTakenName, servingClient } from './resource-rules.ts'
import { forgetConsents, refuseUsedScopes } from './resource-use.ts'

export interface ResourcesDeps {
  readonly em: EntityManager
  readonly audit: AuditSink
  /** Whether the server itself goes by that name: its issuer, its endpoints, its own APIs. */
  readonly isOurs?: (identifier: string) => boolean
}

/** The APIs that accept our access tokens. Each change is all or nothing, also as a part of `tx`. */
export class Resources {
  readonly #em: EntityManager
  readonly #audit: AuditSink
  readonly #isOurs: (identifier: string) => boolean

  constructor({ em, audit, isOurs = () => false }: ResourcesDeps) {
    this.#em = em
    this.#audit = audit
    this.#isOurs = isOurs
  }

  /** Throws `invalid_input` with the reason for each field. */
  async create(input: ResourceInput, tx?: EntityManager): Promise<Resource> {
    const wanted = parseResource(input)
    return within(this.#em, tx, async (em) => {
      const { identifier } = wanted
      await lockName(em, identifier)
      if ((await em.count(Resource, { identifier })) > 0)
        throw refused({ identifier: { code: 'identifier_taken' } })
      await refuseTakenName(em, identifier, this.#isOurs)
      const servedBy = await servingClient(em, wanted.servedBy)
      const resource = em.create(Resource, { ...wanted, servedBy })
      await announce(em, { kind: 'resource', id: identifier })
      await this.#audit.append(em, { type: 'resource_registered', detail: { identifier } })
      return resource
    })
  }

  /** Creates or replaces, for built-in APIs such as the demo's. */
  async ensure(input: ResourceInput): Promise<void> {
    const wanted = parseResource(input)
    await within(this.#em, undefined, async (tx) => {
      const { identifier } = wanted
      const isNew = (await tx.count(Resource, { identifier })) === 0
      const row = { ...wanted, managedBy: 'system' as const, createdAt: new Date() }
      await tx.upsert(Resource, row, {
        onConflictFields: ['identifier'],
        onConflictAction: 'merge',
        onConflictExcludeFields: ['createdAt'],
      })
      await announce(tx, { kind: 'resource', id: identifier })
      const detail = { identifier, isBuiltIn: true }
      if (isNew) await this.#audit.append(tx, { type: 'resource_registered', detail })
    })
  }

  /** Throws `not_found`. */
  async get(identifier: string): Promise<{ resource: Resource; clients: string[] }> {
    const em = this.#em.fork()
    const resource = await em.findOne(Resource, { identifier })
    if (!resource) throw new AppError('not_found')
    return { resource, clients: await clientsNaming(em, 'allowed_resources', identifier) }
  }

  /**
   * Changes what is given, for tokens that are issued from now on. Throws `not_found`, `conflict`,
   * or `invalid_input` with the reason for each field.
   */
  async update(
    identifier: string,
    change: ResourceChange,
    { version, tx }: ChangeOptions = {},
  ): Promise<{ readonly resource: Resource; readonly changed: readonly string[] }> {
    return within(this.#em, tx, async (em) => {
      const resource = await lockedResource(em, identifier, version)
      if (resource.managedBy === 'system') throw refused({ identifier: { code: 'built_in' } })
      const before = settingsOf(resource)
      const given = Object.entries(change).filter(([, value]) => value !== undefined)
      const { identifier: _same, ...wanted } = parseResource({
        ...before,
        ...Object.fromEntries(given),
        identifier,
      })
      const changed = RESOURCE_FIELDS.filter(
        (field) => !isDeepStrictEqual(before[field], wanted[field]),
      )
      if (changed.length === 0) return { resource, changed }
      const removed = before.scopes.filter((name) => !wanted.scopes.includes(name))
      const clients = await em.find(Client, {
        id: { $in: await clientsNaming(em, 'allowed_resources', identifier) },
      })
      await refuseUsedScopes(em, resource, removed, clients)
      if (wanted.opensUserinfo || wanted.tokenTyp !== 'at+jwt')
        await refuseTakenName(em, identifier, this.#isOurs)
      Object.assign(resource, { ...wanted, servedBy: await servingClient(em, wanted.servedBy) })
      resource.version += 1
      await announce(em, { kind: 'resource', id: identifier })
      const detail = { identifier, fields: changed }
      await this.#audit.append(em, { type: 'resource_changed', detail })
      return { resource, changed }
    })
  }

  /** Throws `not_found`, or `invalid_input` with the ids of the clients that name it. */
  async delete(identifier: string, { version, tx }: ChangeOptions = {}): Promise<void> {
    await within(this.#em, tx, async (em) => {
      const resource = await lockedResource(em, identifier, version)
      if (resource.managedBy === 'system') throw refused({ identifier: { code: 'built_in' } })
      const clients = await clientsNaming(em, 'allowed_resources', identifier)
      if (clients.length > 0)
        throw refused({ identifier: { code: 'api_in_use', values: { ids: clients.join(', ') } } })
      await forgetConsents(em, identifier)
      em.remove(resource)
      await em.flush()
      await announce(em, { kind: 'resource', id: identifier })
      await this.#audit.append(em, { type: 'resource_deleted', detail: { identifier } })
    })
  }

  /** Those of the identifiers that are registered. */
  async find(identifiers: readonly string[]): Promise<Resource[]> {
    return identifiers.length === 0
      ? []
      : this.#em.fork().find(Resource, { identifier: { $in: [...identifiers] } })
  }

  async list(): Promise<Resource[]> {
    return this.#em.fork().findAll(Resource, { orderBy: { identifier: 'asc' } })
  }
}
