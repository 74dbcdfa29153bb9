import { z } from 'zod'
import type { AuditSink } from '../audit/event.ts'
import type { EntityManager } from '../database/database.ts'
import { within } from '../database/transaction.ts'
import { Resource } from '../entities/index.ts'
import { announce } from '../feed/changes.ts'
import { displayName } from './display-name.ts'
import { lockName } from './locked.ts'
import { reasonsOf, refused, saying } from './reasons.ts'
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

function parse(input: unknown): z.output<typeof ResourceSchema> {
  const parsed = ResourceSchema.safeParse(input)
  if (!parsed.success) throw refused(reasonsOf(parsed.error))
  return parsed.data
}

function isIdentifier(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:[!-~]+$/i.test(text) || /[?#*\\"<>]/.test(text)) return false
  return URL.canParse(text) && !/^[^:]+:\/\/([^/]*@|\/|$)/.test(text)
}
