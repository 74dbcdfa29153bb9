import type { Context, Middleware } from 'koa'
import type { z } from 'zod'
import type { RequestOrigin } from '../../../audit/request-origin.ts'
import { type Principal, principalOf } from '../../middleware/bearer-auth.ts'
import { parseInput } from '../../middleware/validate.ts'
import { originOf } from '../../state.ts'
import { isSecondCall, type TwoCalls } from './schemas.ts'

/** What a handler may know of a request, besides its validated body. */
export interface Call {
  readonly origin: RequestOrigin
  /** Behind `bearerAuth` only. */
  readonly caller: Principal
  /** A parameter of the path; empty if it cannot be an identifier. */
  param(name: string): string
}

export interface Answer {
  readonly status: number
  readonly body?: object
}

export type Handler<Input> = (input: Input, call: Call) => Promise<Answer>

export const ok = (body: object): Answer => ({ status: 200, body })
export const accepted = (body: object): Answer => ({ status: 202, body })
export const DONE: Answer = { status: 204 }

/** Validates the body and answers with what the handler returns. */
export function call<Schema extends z.ZodType>(
  schema: Schema,
  handler: Handler<z.output<Schema>>,
): Middleware {
  return async (ctx) =>
    answer(ctx, await handler(parseInput(schema, ctx.state.json ?? {}), callOf(ctx)))
}

export interface TwoHandlers<First, Second> {
  readonly first: Handler<First>
  readonly second: Handler<Second>
}

/** A flow of two calls of the same route: the second brings the proof that the first asked for. */
export function twoCalls<First extends z.ZodType, Second extends z.ZodType>(
  schemas: TwoCalls<First, Second>,
  handlers: TwoHandlers<z.output<First>, z.output<Second>>,
): Middleware {
  const first = call(schemas.first, handlers.first)
  const second = call(schemas.second, handlers.second)
  return (ctx, next) => (isSecondCall(schemas, ctx.state.json) ? second : first)(ctx, next)
}

function callOf(ctx: Context): Call {
  return {
    origin: originOf(ctx),
    get caller() {
      return principalOf(ctx)
    },
    param(name) {
      const value = (ctx['params'] as Readonly<Record<string, string | undefined>>)[name] ?? ''
      return /^[!-~]{1,100}$/.test(value) ? value : ''
    },
  }
}

function answer(ctx: Context, { status, body }: Answer): void {
  ctx.status = status
  if (body) ctx.body = body
}
