import { z } from 'zod'
import * as body from '../auth/schemas.ts'
import * as answers from './answers.ts'

/** Names of the bodies and answers in the document. */
const NAMES = new Map<z.ZodType, string>([
  ...Object.entries(answers).map(([name, schema]) => [schema, name] as const),
  ...Object.entries(body).flatMap(([name, schema]): [z.ZodType, string][] => {
    if (schema instanceof z.ZodType) return [[schema, `${name}Body`]]
    if (typeof schema !== 'object') return []
    return [
      [schema.first, `${name}FirstBody`],
      [schema.second, `${name}SecondBody`],
    ]
  }),
])

const uri = (name: string): string => `#/components/schemas/${name}`

export function refTo(schema: z.ZodType): string {
  const name = NAMES.get(schema)
  if (!name) throw new Error('a schema of the documentation has no name')
  return uri(name)
}

/** All of them as JSON Schema 2020-12, which is what OpenAPI 3.1 takes. */
export function componentSchemas(): Record<string, object> {
  const registry = z.registry<{ id: string }>()
  for (const [schema, id] of NAMES) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, { uri })
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const { $schema: _schema, $id: _id, ...rest } = schema
      return [name, rest]
    }),
  )
}
