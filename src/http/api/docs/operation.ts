import type { z } from 'zod'
import type { ErrorCode } from '../../../errors.ts'

/** One call of a route with its answer, and an example of both. */
export interface DocumentedCall {
  readonly body?: z.ZodType
  readonly isBodyOptional?: boolean
  readonly request?: Readonly<Record<string, unknown>>
  readonly status: 200 | 202 | 204
  readonly answer?: z.ZodType
  readonly response?: Readonly<Record<string, unknown>>
}

export interface Operation {
  readonly id: string
  readonly method: 'get' | 'post' | 'patch' | 'delete'
  /** Below `/api/auth`, parameters as `{name}`. */
  readonly path: string
  readonly family: string
  readonly summary: string
  readonly description?: string
  /** `public`: only without a valid token. `token`: the body is the credential. */
  readonly guard: 'public' | 'bearer' | 'token'
  /** One call, or the first and the second of a flow. */
  readonly calls: readonly DocumentedCall[]
  /** Refusals besides those that come with the guard and the body. */
  readonly refusals?: readonly ErrorCode[]
}

const ALWAYS: readonly ErrorCode[] = ['too_many_requests', 'internal_error', 'unavailable']
const WITH_BODY: readonly ErrorCode[] = [
  'invalid_input',
  'payload_too_large',
  'unsupported_media_type',
]

/** Every refusal that an operation may answer with, each once. */
export function refusalsOf({ guard, calls, refusals = [] }: Operation): ErrorCode[] {
  const ofGuard: readonly ErrorCode[] =
    guard === 'bearer'
      ? ['invalid_token', 'forbidden']
      : guard === 'public'
        ? ['already_signed_in']
        : ['invalid_token']
  return [
    ...new Set([
      ...(calls.some(({ body }) => body) ? WITH_BODY : []),
      ...ofGuard,
      ...refusals,
      ...ALWAYS,
    ]),
  ]
}
