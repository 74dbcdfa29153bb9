/**
 * Claims of OIDC Core 5.1 that the tables of attributes hold, in the order in which people are
 * asked for them.
 */
export const STANDARD_ATTRIBUTES = [
  'given_name',
  'middle_name',
  'family_name',
  'nickname',
  'gender',
  'birthdate',
  'website',
  'profile',
  'zoneinfo',
] as const
export type StandardAttribute = (typeof STANDARD_ATTRIBUTES)[number]

/** What may be turned on. An address lives in a column of its own. */
export const FIELDS = [...STANDARD_ATTRIBUTES, 'address'] as const
export type Field = (typeof FIELDS)[number]

export function isField(name: string): name is Field {
  return (FIELDS as readonly string[]).includes(name)
}
