import { z } from 'zod'
import { MAX_CLIENT_ID } from '../config/limits.ts'
import type { Resource } from '../entities/index.ts'
import { displayName } from './display-name.ts'
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
  /** Its access tokens name the groups of the person, if the app may see them. */
  includeGroups: z.boolean().default(false),
  signingAlg: z.enum(['ES256', 'RS256']).default('ES256'),
  tokenTyp: z.enum(['at+jwt', 'JWT']).default('at+jwt'),
  /** What its operator says of an API of their own: what it is given tells who the person is. */
  opensUserinfo: z.boolean().default(false),
  /** The client as which it asks for introspection. */
  servedBy: z.string().max(MAX_CLIENT_ID).nullable().default(null),
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
export const RESOURCE_FIELDS = [
  'name',
  'scopes',
  'scopeDescriptions',
  'accessTokenSeconds',
  'includeGroups',
  'signingAlg',
  'tokenTyp',
  'opensUserinfo',
  'servedBy',
] as const
export type ResourceChange = {
  readonly [Field in (typeof RESOURCE_FIELDS)[number]]?: ResourceInput[Field] | undefined
}

/** An API as it was meant. */
export function settingsOf(resource: Resource) {
  const { name, scopes, scopeDescriptions, accessTokenSeconds, signingAlg } = resource
  const { includeGroups, tokenTyp, opensUserinfo, servedBy } = resource
  return {
    name,
    scopes,
    scopeDescriptions,
    accessTokenSeconds,
    includeGroups,
    signingAlg,
    tokenTyp,
    opensUserinfo,
    servedBy: servedBy?.id ?? null,
  }
}

/** Throws `invalid_input` with the reason for each field. */
export function parseResource(input: unknown): z.output<typeof ResourceSchema> {
  const parsed = ResourceSchema.safeParse(input)
  if (!parsed.success) throw refused(reasonsOf(parsed.error))
  return parsed.data
}

function isIdentifier(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:[!-~]+$/i.test(text) || /[?#*\\"<>]/.test(text)) return false
  return URL.canParse(text) && !/^[^:]+:\/\/([^/]*@|\/|$)/.test(text)
}
