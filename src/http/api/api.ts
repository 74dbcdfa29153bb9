import type { Context } from 'koa'
import type { z } from 'zod'
import type { AppError, ErrorCode } from '../../errors.ts'
import type { Operation } from './operation.ts'

/** An API: what its door, its router and its documentation are made of. */
export interface Api<Deps> {
  readonly title: string
  /** What every path is below. */
  readonly prefix: string
  readonly scope: string
  readonly operations: readonly Operation<Deps>[]
  /** Bodies and answers by their names in the document. */
  readonly schemas: z.core.$ZodRegistry<{ id: string }>
  /** The shape of every refusal. */
  readonly refusal: z.ZodType
  /** What examples of refusals have besides code, sentence and request id. */
  readonly refusalExamples: Partial<Record<ErrorCode, object>>
  /** By the names of parameters of paths. */
  readonly parameterExamples: Readonly<Record<string, string>>
  /** Every 401 names a scheme (RFC 9110 15.5.2), also those that are about a password or a code. */
  readonly challenge: (ctx: Context, error: AppError) => void
}
