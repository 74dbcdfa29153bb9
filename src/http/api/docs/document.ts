import type { z } from 'zod'
import { type ErrorCode, errorInfo } from '../../../errors.ts'
import * as answers from './answers.ts'
import { componentSchemas, refTo } from './component-schemas.ts'
import { IDS, REQUEST_ID, STEP_TOKENS } from './examples.ts'
import { type DocumentedCall, type Operation, refusalsOf } from './operation.ts'
import { OPERATIONS } from './operations.ts'

/** Refusals of the door itself, at no documented path. */
const AT_THE_DOOR: readonly ErrorCode[] = ['not_found', 'method_not_allowed', 'misdirected_request']

const EXTRA: Partial<Record<ErrorCode, object>> = {
  invalid_input: { fields: { email: 'required' } },
  password_rejected: { fields: { password: 'too_common' } },
  mfa_required: { token: STEP_TOKENS.signIn, methods: ['totp', 'recovery'], expires_in: 600 },
  email_unverified: { userId: IDS.user, tokenId: IDS.signUp },
}

export type OpenApiDocument = ReturnType<typeof openApiDocument>

/** OpenAPI 3.1 of the account API, made of the schemas that validate. */
export function openApiDocument({
  issuer,
  name,
  version,
}: {
  issuer: string
  name: string
  version: string
}) {
  return {
    openapi: '3.1.1',
    info: { title: `${name} account API`, version },
    servers: [{ url: issuer }],
    tags: [...new Set(OPERATIONS.map(({ family }) => family))].map((family) => ({ name: family })),
    paths: paths(),
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: `An access token for ${issuer}/api/auth with the scope account.`,
        },
      },
    },
    'x-errors': catalogue().map((code) => ({ code, ...errorInfo(code) })),
  }
}

/** Every code that the API answers with; the list is closed. */
export function catalogue(): ErrorCode[] {
  return [...new Set([...OPERATIONS.flatMap(refusalsOf), ...AT_THE_DOOR])].sort(
    (a, b) => errorInfo(a).status - errorInfo(b).status,
  )
}

export function refusalExample(code: ErrorCode): object {
  return { error: code, message: errorInfo(code).message, request_id: REQUEST_ID, ...EXTRA[code] }
}

function paths(): Record<string, Record<string, object>> {
  const all: Record<string, Record<string, object>> = {}
  for (const operation of OPERATIONS) {
    const path = `/api/auth${operation.path}`
    all[path] = { ...all[path], [operation.method]: describe(operation) }
  }
  return all
}

function describe(operation: Operation): object {
  const { id, family, summary, description, guard, calls, path } = operation
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const bodies = calls.filter((call) => call.body)
  return {
    operationId: id,
    tags: [family],
    summary,
    ...(description ? { description } : {}),
    security: guard === 'bearer' ? [{ bearer: [] }] : [],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(bodies.length > 0
      ? {
          requestBody: {
            required: !bodies.every(({ isBodyOptional }) => isBodyOptional),
            content: {
              'application/json': content(calls, ({ body: schema, request }) => ({
                schema,
                example: request,
              })),
            },
          },
        }
      : {}),
    responses: { ...successes(calls), ...refusals(operation) },
  }
}

function successes(calls: readonly DocumentedCall[]): Record<string, object> {
  const statuses = [...new Set(calls.map(({ status }) => status))]
  return Object.fromEntries(
    statuses.map((status) => {
      const same = calls.map((call) => (call.status === status ? call : undefined))
      const described = {
        description: status === 204 ? 'Done.' : status === 202 ? 'Begun.' : 'Done.',
      }
      if (status === 204) return [status, described]
      return [
        status,
        {
          ...described,
          content: {
            'application/json': content(same, ({ answer, response }) => ({
              schema: answer,
              example: response,
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
function content(
  calls: readonly (DocumentedCall | undefined)[],
  pick: (call: DocumentedCall) => { schema: z.ZodType | undefined; example: object | undefined },
): object {
  const picked = calls.map((call, index) => ({
    name: calls.length === 1 ? 'default' : (NAMES[index] ?? `call ${index + 1}`),
    ...(call ? pick(call) : {}),
  }))
  const refs = [...new Set(picked.flatMap(({ schema }) => (schema ? [refTo(schema)] : [])))].map(
    ($ref) => ({ $ref }),
  )
  const examples = picked.flatMap(({ name, example }) =>
    example ? [[name, { value: example }] as const] : [],
  )
  return {
    schema: refs.length === 1 ? refs[0] : { oneOf: refs },
    examples: Object.fromEntries(examples),
  }
}

function refusals(operation: Operation): Record<string, object> {
  const codes = refusalsOf(operation)
  const statuses = [...new Set(codes.map((code) => errorInfo(code).status))].toSorted(
    (a, b) => a - b,
  )
  return Object.fromEntries(
    statuses.map((status) => {
      const same = codes.filter((code) => errorInfo(code).status === status)
      const examples = Object.fromEntries(
        same.map((code) => [code, { value: refusalExample(code) }]),
      )
      const headers = headersOf(status)
      return [
        status,
        {
          description: same.map((code) => `\`${code}\`: ${errorInfo(code).message}`).join('\n'),
          ...(headers ? { headers } : {}),
          content: { 'application/json': { schema: { $ref: refTo(answers.Refusal) }, examples } },
        },
      ]
    }),
  )
}

function headersOf(status: number): object | undefined {
  if (status === 401)
    return { 'WWW-Authenticate': { schema: { type: 'string' }, description: 'RFC 6750.' } }
  return status === 429 || status === 503
    ? { 'Retry-After': { schema: { type: 'integer' }, description: 'Seconds.' } }
    : undefined
}
