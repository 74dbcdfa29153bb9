import { isDeepStrictEqual } from 'node:util'
import { CLIENT_FIELDS, type ClientInput, type ClientRegistration } from './registration.ts'

/** Fields that are to be otherwise; `null`: as if nothing had been said. */
export type ClientChange = { readonly [Field in keyof ClientInput]?: ClientInput[Field] | null }

/** What is usual for each type. */
const OF_TYPE = ['grantTypes', 'authMethod', 'scopes', 'defaultScopes']

/**
 * What is meant after the change, still to be checked. Another type brings its own usual grants,
 * authentication and scopes, unless they are given; `follows`: scopes follow the APIs.
 */
export function merged(
  before: ClientRegistration,
  change: ClientChange,
): { input: unknown; follows: boolean } {
  const given = Object.entries(change).filter(([, value]) => value !== undefined)
  const fields = given.map(([field]) => field)
  const isOther = change.type !== undefined && change.type !== before.type
  const follows = fields.includes('resources') && !fields.includes('scopes') && !isOther
  const forgotten = isOther ? OF_TYPE : follows ? ['scopes'] : []
  const kept = Object.entries(before).filter(([field]) => !forgotten.includes(field))
  const all = Object.entries(Object.fromEntries([...kept, ...given]))
  const input = Object.fromEntries(all.filter(([, value]) => value !== null))
  return { input, follows }
}

export function changedFields(
  before: ClientRegistration,
  after: ClientRegistration,
): (keyof ClientRegistration)[] {
  return CLIENT_FIELDS.filter((field) => !isDeepStrictEqual(before[field], after[field]))
}
