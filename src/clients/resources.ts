import { z } from 'zod'
import type { AuditSink } from '../audit/event.ts'
import type { EntityManager } from '../database/database.ts'
import { Resource } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { announce } from '../feed/changes.ts'
import { displayName, reasons } from './client-input.ts'
import { isOidcScope, SCOPE } from './scopes.ts'

const scope = z
  .string()
  .regex(SCOPE, 'is not a scope name')
  .refine((name) => !isOidcScope(name), 'is a scope of OpenID Connect')

const FIELDS = z.strictObject({
  /**
   * Absolute URI without query and fragment (RFC 8707 2), compared as a string; it need not lead
   * anywhere.
   */
  identifier: z
    .string()
    .max(512)
    .refine(isIdentifier, 'must be an absolute URI without query, fragment or user name'),
  name: displayName,
  scopes: z
    .array(scope)
    .min(1, 'at least one is needed')
    .max(50)
    .refine((list) => new Set(list).size === list.length, 'must not repeat a scope'),
  /** What people read instead of a scope's name, by scope. */
  scopeDescriptions: z.record(z.string(), z.string()).default({}),
  /** Ten minutes unless told otherwise (TK-17): a JWT cannot be called back. */
  accessTokenSeconds: z.number().int().min(60).max(3600).default(600),
  signingAlg: z.enum(['ES256', 'RS256']).default('ES256'),
})
const ResourceSchema = FIELDS.superRefine(({ scopes, scopeDescriptions }, { addIssue }) => {
  for (const [name, text] of Object.entries(scopeDescriptions)) {
    const index = scopes.indexOf(name)
    const refuse = (path: (string | number)[], message: string) =>
      addIssue({ code: 'custom', path, message })
    if (index < 0) refuse(['scopeDescriptions'], `describes ${name}, which is not among the scopes`)
    else if (!displayName.safeParse(text).success)
      refuse(
        ['scopes', index],
        'its description is empty, longer than 100 characters or cannot be shown',
      )
  }
})
export type ResourceInput = z.input<typeof ResourceSchema>

/** The APIs that accept our access tokens. */
export class Resources {
  readonly #em: EntityManager
  readonly #audit: AuditSink | undefined

  constructor({ em, audit }: { em: EntityManager; audit?: AuditSink }) {
    this.#em = em
    this.#audit = audit
  }

  /** Throws `invalid_input` with the reason for each field. */
  async create(input: ResourceInput): Promise<Resource> {
    const wanted = parse(input)
    return this.#em.fork().transactional(async (tx) => {
      const taken = await tx.findOne(Resource, { identifier: wanted.identifier })
      if (taken)
        throw new AppError('invalid_input', { fields: { identifier: 'is registered already' } })
      const resource = tx.create(Resource, wanted)
      await announce(tx, { kind: 'resource', id: resource.identifier })
      await this.#audit?.append(tx, {
        type: 'resource_registered',
        detail: { identifier: wanted.identifier },
      })
      return resource
    })
  }

  /** Creates or replaces, for built-in APIs such as the demo's. */
  async ensure(input: ResourceInput): Promise<void> {
    const wanted = parse(input)
    await this.#em.fork().transactional(async (tx) => {
      const isNew = (await tx.count(Resource, { identifier: wanted.identifier })) === 0
      const row = { ...wanted, createdAt: new Date() }
      await tx.upsert(Resource, row, {
        onConflictFields: ['identifier'],
        onConflictAction: 'merge',
        onConflictExcludeFields: ['createdAt'],
      })
      await announce(tx, { kind: 'resource', id: wanted.identifier })
      if (isNew)
        await this.#audit?.append(tx, {
          type: 'resource_registered',
          detail: { identifier: wanted.identifier, isBuiltIn: true },
        })
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
  if (!parsed.success) throw new AppError('invalid_input', { fields: reasons(parsed.error) })
  return parsed.data
}

function isIdentifier(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:[!-~]+$/i.test(text) || /[?#*\\"<>]/.test(text)) return false
  return URL.canParse(text) && !/^[^:]+:\/\/([^/]*@|\/|$)/.test(text)
}
