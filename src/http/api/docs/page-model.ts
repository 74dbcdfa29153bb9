import { z } from 'zod'
import { errorInfo } from '../../../errors.ts'
import type { ApiDocs, DocumentedExchange, DocumentedOperation } from '../../../views/views.ts'
import type { Api } from '../api.ts'
import { type Exchange, statusOf } from '../exchange.ts'
import { type Operation, takesBody } from '../operation.ts'
import { catalogue, refusalsOf } from './catalogue.ts'

const TITLES = ['First call', 'Second call', 'Where there is neither']

/** The same operations as the document, for a reader. */
export function apiDocsModel<Deps>(
  api: Api<Deps>,
  { name, documentHref, issuer }: { name: string; documentHref: string; issuer: string },
): ApiDocs {
  const { operations } = api
  const families = [...new Set(operations.map(({ family }) => family))]
  return {
    title: `${name} ${api.title}`,
    documentHref,
    baseUrl: issuer + api.prefix,
    families: families.map((family) => ({
      name: family,
      operations: operations
        .filter((operation) => operation.family === family)
        .map((operation) => presentOperation(api, operation, issuer)),
    })),
    refusals: catalogue(api).map((code) => ({ code, ...errorInfo(code) })),
  }
}

function presentOperation<Deps>(
  { prefix, parameterExamples }: Api<Deps>,
  operation: Operation<Deps>,
  issuer: string,
): DocumentedOperation {
  const { id, method, path, summary, description, guard, exchanges } = operation
  const url =
    issuer +
    prefix +
    path.replaceAll(/\{(\w+)\}/g, (whole, name: string) => parameterExamples[name] ?? whole)
  return {
    id,
    summary,
    description: description?.replaceAll('`', ''),
    method,
    path: prefix + path,
    guard: guard.words,
    calls: exchanges.map((exchange, index) => ({
      ...presentExchange(exchange),
      title: exchanges.length === 1 ? undefined : TITLES[index],
      curl: curlOf(operation, exchange, url),
    })),
    refusals: refusalsOf(operation),
  }
}

function presentExchange(exchange: Exchange): Omit<DocumentedExchange, 'curl'> {
  const { body, example } = exchange
  return {
    fields: body ? fieldsOf(body) : [],
    status: statusOf(exchange),
    response: example?.answer && JSON.stringify(example.answer, null, 2),
  }
}

function curlOf<Deps>(operation: Operation<Deps>, { example }: Exchange, url: string): string {
  const { method, guard } = operation
  const request = example?.body ?? (takesBody(operation) ? {} : undefined)
  const isDefault = method === (request ? 'POST' : 'GET')
  return [
    `curl${isDefault ? '' : ` -X ${method}`} ${url}`,
    ...(guard.isBearer ? ['-H "Authorization: Bearer $TOKEN"'] : []),
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
