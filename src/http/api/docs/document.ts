import type { z } from 'zod'
import { type ErrorCode, errorInfo } from '../../../errors.ts'
import type { Api } from '../api.ts'
import { type Exchange, statusOf } from '../exchange.ts'
import { isBodyOptional, type Operation, takesBody } from '../operation.ts'

import { catalogue, refusalsOf } from './catalogue.ts'
import { componentSchemas, refTo } from './schemas.ts'

const REQUEST_ID = '0eb46151-111f-40b4-8fdd-410d1752a8e9'

/** OpenAPI 3.1 of an API, made of the operations that its router is made of. */
export function openApiDocument<Deps>(
  api: Api<Deps>,
  { issuer, name, version }: { issuer: string; name: string; version: string },
) {
  const { operations, prefix, scope } = api
  return {
    openapi: '3.1.1',
    info: { title: `${name} ${api.title}`, version },
    servers: [{ url: issuer }],
    tags: [...new Set(operations.map(({ family }) => family))].map((family) => ({ name: family })),
    paths: paths(api),
    components: {
      schemas: componentSchemas(api.schemas),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: `An access token for ${issuer}${prefix} with the scope ${scope}.`,
        },
      },
    },
    'x-errors': catalogue(api).map((code) => ({ code, ...errorInfo(code) })),
  }
}

function paths<Deps>(api: Api<Deps>): Record<string, Record<string, object>> {
  const all: Record<string, Record<string, object>> = {}
  for (const operation of api.operations) {
    const path = `${api.prefix}${operation.path}`
    all[path] = { ...all[path], [operation.method.toLowerCase()]: describe(api, operation) }
  }
  return all
}

function describe<Deps>(api: Api<Deps>, operation: Operation<Deps>): object {
  const { id, family, summary, description, guard, exchanges, path } = operation
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  return {
    operationId: id,
    tags: [family],
    summary,
    ...(description ? { description } : {}),
    security: guard.isBearer ? [{ bearer: [] }] : [],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(takesBody(operation)
      ? {
          requestBody: {
            required: !isBodyOptional(operation),
            content: {
              'application/json': content(api, exchanges, ({ body: schema, example }) => ({
                schema,
                example: example?.body,
              })),
            },
          },
        }
      : {}),
    responses: { ...successes(api, exchanges), ...refusals(api, operation) },
  }
}

function successes<Deps>(api: Api<Deps>, exchanges: readonly Exchange[]): Record<string, object> {
  const statuses = [...new Set(exchanges.map(statusOf))]
  return Object.fromEntries(
    statuses.map((status) => {
      const same = exchanges.map((each) => (statusOf(each) === status ? each : undefined))
      const described = { description: status === 202 ? 'Begun.' : 'Done.' }
      if (status === 204) return [status, described]
      return [
        status,
        {
          ...described,
          content: {
            'application/json': content(api, same, ({ answer, example }) => ({
              schema: answer,
              example: example?.answer,
            })),
          },
        },
      ]
    }),
  )
}

const NAMES = ['first', 'second', 'third']

/**
 * The examples of a flow of several calls are named `first`, `second` and so on, the only call's
 * `default`.
 */
function content<Deps>(
  { schemas }: Api<Deps>,
  exchanges: readonly (Exchange | undefined)[],
  pick: (exchange: Exchange) => { schema: z.ZodType | undefined; example: object | undefined },
): object {
  const picked = exchanges.map((exchange, index) => ({
    name: exchanges.length === 1 ? 'default' : (NAMES[index] ?? `call ${index + 1}`),
    ...(exchange ? pick(exchange) : {}),
  }))
  const named = picked.flatMap(({ schema }) => (schema ? [refTo(schemas, schema)] : []))
  const refs = [...new Set(named)].map(($ref) => ({ $ref }))
  const examples = picked.flatMap(({ name, example }) =>
    example ? [[name, { value: example }] as const] : [],
  )
  return {
    schema: refs.length === 1 ? refs[0] : { oneOf: refs },
    examples: Object.fromEntries(examples),
  }
}

function refusals<Deps>(api: Api<Deps>, operation: Operation<Deps>): Record<string, object> {
  const codes = refusalsOf(operation)
  const statuses = [...new Set(codes.map((code) => errorInfo(code).status))].toSorted(
    (a, b) => a - b,
  )
  return Object.fromEntries(
    statuses.map((status) => {
      const same = codes.filter((code) => errorInfo(code).status === status)
      const examples = Object.fromEntries(
        same.map((code) => [code, { value: refusalExample(api, code) }]),
      )
      const headers = headersOf(status, same)
      return [
        status,
        {
          description: same.map((code) => `\`${code}\`: ${errorInfo(code).message}`).join('\n'),
          ...(headers ? { headers } : {}),
          content: {
            'application/json': { schema: { $ref: refTo(api.schemas, api.refusal) }, examples },
          },
        },
      ]
    }),
  )
}

function refusalExample<Deps>({ refusalExamples }: Api<Deps>, code: ErrorCode): object {
  const { message } = errorInfo(code)
  return { error: code, message, request_id: REQUEST_ID, ...refusalExamples[code] }
}

/** Of the refusals that are no 401, those that say which token or proof would do (RFC 6750, RFC 9470). */
const CHALLENGING: readonly ErrorCode[] = ['forbidden', 'reauthentication_required']

function headersOf(status: number, codes: readonly ErrorCode[]): object | undefined {
  if (status === 401 || codes.some((code) => CHALLENGING.includes(code)))
    return {
      'WWW-Authenticate': { schema: { type: 'string' }, description: 'RFC 6750, RFC 9470.' },
    }
  return status === 429 || status === 503
    ? { 'Retry-After': { schema: { type: 'integer' }, description: 'Seconds.' } }
    : undefined
}
