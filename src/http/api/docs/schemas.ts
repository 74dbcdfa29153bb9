import { z } from 'zod'
import type { Api } from '../api.ts'

type Schemas = Api<never>['schemas']

const uri = (name: string): string => `#/components/schemas/${name}`

export function refTo(schemas: Schemas, schema: z.ZodType): string {
  const name = schemas.get(schema)?.id
  if (!name) throw new Error('a schema of the documentation has no name')
  return uri(name)
}

/**
 * All of them as JSON Schema 2020-12, which is what OpenAPI 3.1 takes: the answers by name, then the
 * bodies.
 */
export function componentSchemas(registry: Schemas): Record<string, object> {
  const { schemas } = z.toJSONSchema(registry, { uri })
  const order = (name: string): string => `${name.endsWith('Body') ? 1 : 0}${name}`
  return Object.fromEntries(
    Object.entries(schemas)
      .toSorted(([a], [b]) => (order(a) < order(b) ? -1 : 1))
      .map(([name, { $schema: _schema, $id: _id, ...schema }]) => [name, schema]),
  )
}
