import { z } from 'zod'
import { errorInfo } from '../../../errors.ts'
import type { ApiDocs, DocumentedExchange, DocumentedOperation } from '../../../views.ts'
import { catalogue } from './document.ts'
import { type DocumentedCall, type Operation, refusalsOf } from './operation.ts'
import { OPERATIONS } from './operations.ts'

const GUARDS = {
  public: 'Only without a valid access token.',
  bearer: 'Authorization: Bearer, an access token of this API with the scope account.',
  token: 'The refresh token is the credential.',
} as const

/** The same operations as the document, for a reader. */
export function apiDocsModel({ name, documentHref }: { name: string; documentHref: string }): ApiDocs {
  const families = [...new Set(OPERATIONS.map(({ family }) => family))]
  return {
    title: `${name} account API`,
    documentHref,
    families: families.map((family) => ({
      name: family,
      operations: OPERATIONS.filter((operation) => operation.family === family).map(presentOperation),
    })),
    refusals: catalogue().map((code) => ({ code, ...errorInfo(code) })),
  }
}

function presentOperation(operation: Operation): DocumentedOperation {
  const { id, method, path, summary, description, guard, calls } = operation
  return {
    id,
    summary,
    description: description?.replaceAll('`', ''),
    method: method.toUpperCase(),
    path: `/api/auth${path}`,
    guard: GUARDS[guard],
    calls: calls.map((call, index) => presentCall(call, calls.length === 1 ? undefined : index === 0 ? 'First call' : 'Second call')),
    refusals: refusalsOf(operation),
  }
}

function presentCall({ body, request, status, response }: DocumentedCall, title: string | undefined): DocumentedExchange {
  return { title, fields: body ? fieldsOf(body) : [], request: request && pretty(request), status, response: response && pretty(response) }
}

function fieldsOf(schema: z.ZodType): DocumentedExchange['fields'] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema)
  return Object.entries(properties).map(([name, property]) => {
    const { type, anyOf = [], description } = property as { type?: string; anyOf?: { type?: string }[]; description?: string }
    const words = [type, ...anyOf.map((option) => option.type)].filter((word) => word !== undefined).join(' or ')
    return { name, type: required.includes(name) ? words : `${words}, optional`, description: description?.replaceAll('`', '') }
  })
}

function pretty(value: object): string {
  return JSON.stringify(value, null, 2)
}
