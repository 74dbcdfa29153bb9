import type { Json } from './api.ts'

export interface OperationDoc {
  readonly id: string
  /** `POST /sign-up/email`, parameters as `{name}`. */
  readonly route: string
  readonly isBearer: boolean
  readonly isPublic: boolean
  readonly takesBody: boolean
  /** Examples of requests by name: `default`, or `first` and `second`. */
  readonly requests: Readonly<Record<string, Json>>
  /** Body schemas, resolved. */
  readonly bodies: readonly Json[]
  readonly responses: Readonly<Record<string, Json>>
}

/** The OpenAPI document in the words of the tests. */
export function operationsOf(document: Json): OperationDoc[] {
  return Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, operation]) => {
      const content = operation.requestBody?.content['application/json']
      const schemas: Json[] = content ? (content.schema.oneOf ?? [content.schema]) : []
      return {
        id: operation.operationId,
        route: `${method.toUpperCase()} ${path.replace('/api/auth', '')}`,
        isBearer: operation.security.length > 0,
        isPublic:
          operation.responses['403']?.content['application/json'].examples.already_signed_in !==
          undefined,
        takesBody: content !== undefined,
        requests: Object.fromEntries(
          Object.entries<Json>(content?.examples ?? {}).map(([name, { value }]) => [name, value]),
        ),
        bodies: schemas.map((schema) => resolve(document, schema)),
        responses: operation.responses,
      }
    }),
  )
}

export function resolve(document: Json, schema: Json): Json {
  const name = schema.$ref?.replace('#/components/schemas/', '')
  return name ? document.components.schemas[name] : schema
}

/** Where a value breaks a JSON Schema of the kind that our document has; empty if it does not. */
export function violations(document: Json, given: Json, value: Json, at = '$'): string[] {
  const schema = resolve(document, given)
  if (schema.oneOf ?? schema.anyOf) {
    const all: string[][] = (schema.oneOf ?? schema.anyOf).map((option: Json) =>
      violations(document, option, value, at),
    )
    return all.some((list) => list.length === 0) ? [] : (all[0] ?? [])
  }
  const type =
    value === null
      ? 'null'
      : Array.isArray(value)
        ? 'array'
        : Number.isInteger(value)
          ? 'integer'
          : typeof value
  const types: string[] = [schema.type ?? type].flat()
  if (!types.includes(type)) return [`${at} is ${type}`]
  if (schema.const !== undefined && value !== schema.const) return [`${at} is not ${schema.const}`]
  if (schema.enum && !schema.enum.includes(value)) return [`${at} is none of the enum`]
  if (schema.pattern && typeof value === 'string' && !new RegExp(schema.pattern, 'u').test(value))
    return [`${at} does not match`]
  if (type === 'array')
    return value.flatMap((item: Json, index: number) =>
      violations(document, schema.items ?? {}, item, `${at}[${index}]`),
    )
  if (type !== 'object') return []
  const missing = (schema.required ?? [])
    .filter((name: string) => !(name in value))
    .map((name: string) => `${at}.${name} is missing`)
  const inside = Object.entries<Json>(value).flatMap(([name, item]) => {
    const property = schema.properties?.[name] ?? schema.additionalProperties
    return property
      ? violations(document, property === true ? {} : property, item, `${at}.${name}`)
      : [`${at}.${name} is unknown`]
  })
  return [...missing, ...inside]
}
