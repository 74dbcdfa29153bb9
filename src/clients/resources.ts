import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { AuditSink } from '../audit/event.ts'
import type { EntityManager } from '../database/database.ts'
import { within } from '../database/transaction.ts'
import { Client, Resource } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { announce } from '../feed/changes.ts'
import { displayName } from './display-name.ts'
import type { ChangeOptions } from './locked.ts'
import { lockedResource, lockName } from './locked.ts'
import { reasonsOf, refused, saying } from './reasons.ts'
import { clientsOf, forgetConsents, refuseUsedScopes } from './resource-use.ts'
import { isOidcScope, SCOPE } from './scopes.ts'

const scope = z
  .string()
  .regex(SCOPE, saying('bad_scope_name'))
  .refine((name) => !isOidcScope(name), saying('scope_of_person'))

const FIELDS = z.strictObject({
  /**
   * Absolute URI without query and fragment (RFC 8707 2), compared as a string; it need not lead
   * anywhere.
   */
  identifier: z.string().max(512).refine(isIdentifier, saying('bad_identifier')),
  name: displayName,
  scopes: z
    .array(scope)
    .min(1, saying('redirect_needed'))
    .max(50)
    .refine((list) => new Set(list).size === list.length, {
      message: saying('repeated'),
      params: { what: 'a scope' },
    }),
  /** What people read instead of a scope's name, by scope. */
  scopeDescriptions: z.record(z.string(), z.string()).default({}),
  /** Ten minutes unless told otherwise (TK-17): a JWT cannot be called back. */
  accessTokenSeconds: z.number().int().min(60).max(3600).default(600),
  /** Its access tokens name the groups of the person, if the app may see them. */
  includeGroups: z.boolean().default(false),
  signingAlg: z.enum(['ES256', 'RS256']).default('ES256'),
})
const ResourceSchema = FIELDS.superRefine(({ scopes, scopeDescriptions }, { addIssue }) => {
  for (const [name, text] of Object.entries(scopeDescriptions)) {
    const index = scopes.indexOf(name)
    if (index < 0)
      addIssue({
        code: 'custom',
        path: ['scopeDescriptions'],
        message: saying('undescribable'),
        params: { name },
      })
    else if (!displayName.safeParse(text).success)
      addIssue({ code: 'custom', path: ['scopes', index], message: saying('bad_description') })
  }
})
export type ResourceInput = z.input<typeof ResourceSchema>

/** What may be changed: all but the identifier, by which apps and tokens know it. */
const FIELDS_OF = [
  'name',
  'scopes',
  'scopeDescriptions',
  'accessTokenSeconds',
  'includeGroups',
  'signingAlg',
] as const
export type ResourceChange = {
  readonly [Field in (typeof FIELDS_OF)[number]]?: ResourceInput[Field] | undefined
}

/** The APIs that accept our access tokens. Each change is all or nothing, also as a part of `tx`. */
export class Resources {
  readonly #em: EntityManager
  readonly #audit: AuditSink

  constructor({ em, audit }: { em: EntityManager; audit: AuditSink }) {
    this.#em = em
    this.#audit = audit
  }

  /** Throws `invalid_input` with the reason for each field. */
  async create(input: ResourceInput, tx?: EntityManager): Promise<Resource> {
    const wanted = parse(input)
    return within(this.#em, tx, async (em) => {
      const { identifier } = wanted
      await lockName(em, identifier)
      if ((await em.count(Resource, { identifier })) > 0)
        throw refused({ identifier: { code: 'identifier_taken' } })
      const resource = em.create(Resource, wanted)
      await announce(em, { kind: 'resource', id: identifier })
      await this.#audit.append(em, { type: 'resource_registered', detail: { identifier } })
      return resource
    })
  }

  /** Creates or replaces, for built-in APIs such as the demo's. */
  async ensure(input: ResourceInput): Promise<void> {
    const wanted = parse(input)
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
    return { resource, clients: await clientsOf(em, identifier) }
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
      const { identifier: _same, ...wanted } = parse({
        ...before,
        ...Object.fromEntries(given),
        identifier,
      })
      const changed = FIELDS_OF.filter((field) => !isDeepStrictEqual(before[field], wanted[field]))
      if (changed.length === 0) return { resource, changed }
      const removed = before.scopes.filter((name) => !wanted.scopes.includes(name))
      const clients = await em.find(Client, { id: { $in: await clientsOf(em, identifier) } })
      await refuseUsedScopes(em, resource, removed, clients)
      Object.assign(resource, { ...wanted })
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
      const clients = await clientsOf(em, identifier)
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

export function settingsOf(resource: Resource) {
  const { name, scopes, scopeDescriptions, accessTokenSeconds, includeGroups, signingAlg } =
    resource
  return { name, scopes, scopeDescriptions, accessTokenSeconds, includeGroups, signingAlg }
}

function parse(input: unknown): z.output<typeof ResourceSchema> {
  const parsed = ResourceSchema.safeParse(input)
  if (!parsed.success) throw refused(reasonsOf(parsed.error))
  return parsed.data
}

function isIdentifier(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:[!-~]+$/i.test(text) || /[?#*\\"<>]/.test(text)) return false
  return URL.canParse(text) && !/^[^:]+:\/\/([^/]*@|\/|$)/.test(text)
}
