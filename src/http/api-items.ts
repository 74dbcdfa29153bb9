import type { Resource } from '../entities/index.ts'
import type { ApiItem } from '../views/views.ts'

/**
 * Scopes by API as people read them, by the APIs' names. An API that is not registered any more
 * goes by its identifier, and nothing is described there.
 */
export function apiItems(
  resourceScopes: Readonly<Record<string, readonly string[]>>,
  registered: readonly Resource[],
): ApiItem[] {
  const items = Object.entries(resourceScopes).map(([identifier, scopes]) => {
    const api = registered.find((each) => each.identifier === identifier)
    const words = new Map(Object.entries(api?.scopeDescriptions ?? {}))
    return {
      name: api?.name ?? identifier,
      identifier,
      scopes: scopes.map((scope) => ({ scope, description: words.get(scope) })),
    }
  })
  return items.toSorted((one, other) => one.name.localeCompare(other.name))
}
