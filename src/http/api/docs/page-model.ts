import { z } from 'zod'
import { errorInfo } from '../../../errors.ts'
import type { ApiDocs, DocumentedExchange, DocumentedOperation } from '../../../views/views.ts'
import { catalogue } from './document.ts'
import { CLIENT_ID, IDS } from './examples.ts'
import { type DocumentedCall, type Operation, refusalsOf } from './operation.ts'
import { OPERATIONS } from './operations.ts'

const GUARDS = {
  public: 'Only without a valid access token.',
  bearer: 'Authorization: Bearer, an access token of this API with the scope account.',
  token: 'The refresh token is the credential.',
} as const

const TITLES = ['First call', 'Second call', 'Where there is neither']

/** The same operations as the document, for a reader. */
export function apiDocsModel({
  name,
  documentHref,
  issuer,
}: {
  name: string
  documentHref: string
  issuer: string
}): ApiDocs {
  const baseUrl = `${issuer}/api/auth`
  const families = [...new Set(OPERATIONS.map(({ family }) => family))]
  return {
    title: `${name} account API`,
    documentHref,
    baseUrl,
    families: families.map((family) => ({
      name: family,
      operations: OPERATIONS.filter((operation) => operation.family === family).map((operation) =>
        presentOperation(operation, baseUrl),
      ),
    })),
    refusals: catalogue().map((code) => ({ code, ...errorInfo(code) })),
  }
}

function presentOperation(operation: Operation, baseUrl: string): DocumentedOperation {
  const { id, method, path, summary, description, guard, calls } = operation
  return {
    id,
    summary,
    description: description?.replaceAll('`', ''),
    method: method.toUpperCase(),
    path: `/api/auth${path}`,
    guard: GUARDS[guard],
    calls: calls.map((call, index) => ({
      ...presentCall(call),
      title: calls.length === 1 ? undefined : TITLES[index],
      curl: curlOf(operation, call, baseUrl),
    })),
    refusals: refusalsOf(operation),
  }
}

function presentCall({ body, status, response }: DocumentedCall): Omit<DocumentedExchange, 'curl'> {
  return { fields: body ? fieldsOf(body) : [], status, response: response && pretty(response) }
}

/** Values for the parameters of paths. */
const PARAMETERS: Readonly<Record<string, string>> = { id: IDS.otherSession, clientId: CLIENT_ID }

function curlOf(
  { method, path, guard, calls }: Operation,
  call: DocumentedCall,
  baseUrl: string,
): string {
  const request = call.request ?? (calls.some(({ body }) => body) ? {} : undefined)
  const url =
    baseUrl + path.replace(/\{(\w+)\}/g, (whole, name: string) => PARAMETERS[name] ?? whole)
  const isDefault = method === (request ? 'post' : 'get')
  return [
    `curl${isDefault ? '' : ` -X ${method.toUpperCase()}`} ${url}`,
    ...(guard === 'bearer' ? ['-H "Authorization: Bearer $TOKEN"'] : []),
    ...(request
      ? [
          "-H 'Content-Type: application/json'",
          `-d '${JSON.stringify(request).replaceAll("'", "'\\''")}'`,
        ]
      : []),
  ].join(' \\\n  ')
}

function fieldsOf(schema: z.ZodType): DocumentedExchange['fields'] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema)
  return Object.entries(properties).map(([name, property]) => {
    const {
      type,
      anyOf = [],
      description,
    } = property as { type?: string; anyOf?: { type?: string }[]; description?: string }
    const words = [type, ...anyOf.map((option) => option.type)]
      .filter((word) => word !== undefined)
      .join(' or ')
    return {
      name,
      type: required.includes(name) ? words : `${words}, optional`,
      description: description?.replaceAll('`', ''),
    }
  })
}

function pretty(value: object): string {
  return JSON.stringify(value, null, 2)
}
