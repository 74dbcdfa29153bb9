import { z } from 'zod'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import type { LimitName } from '../../config/limits.ts'
import { parseInput } from '../middleware/validate.ts'

/** What a call takes and what it answers, with an example of both. */
export interface Exchange {
  readonly body?: z.ZodType
  readonly isBodyOptional?: true
  /** Default: 200, or 204 where nothing is answered. */
  readonly status?: 202
  readonly answer?: z.ZodType
  readonly example?: { readonly body?: object; readonly answer?: object }
  /** What it is counted under besides the limit of its route. */
  readonly alsoUnder?: LimitName
}

/** What a handler may know of a request, besides its validated body. */
export interface Call<Caller, Name extends string> {
  readonly caller: Caller
  readonly origin: RequestOrigin
  /** A parameter of the path; empty if it cannot be an identifier. */
  param(name: Name): string
}

/** An exchange with the handler that carries it out. */
export interface Handled<Deps, Caller, Name extends string, Body extends z.ZodType, Answer, Other>
  extends Exchange {
  readonly body?: Body
  readonly answer?: z.ZodType<Answer>
  /** What the handler may answer instead, with 202. */
  readonly otherwise?: {
    readonly answer: z.ZodType<Other>
    readonly example: { readonly answer: object }
  }
  readonly handle: (
    input: z.output<Body>,
    call: Call<Caller, Name>,
    deps: Deps,
  ) => Promise<NoInfer<Answer> | { readonly otherwise: NoInfer<Other> }>
}

export function statusOf({ status, answer }: Exchange): number {
  return status ?? (answer ? 200 : 204)
}

export const NoBody = z.strictObject({})

/** An exchange that is carried out: its types are known no more. */
export interface Performing<Deps, Caller> {
  readonly alsoUnder: LimitName | undefined
  perform(
    json: object,
    call: Call<Caller, string>,
    deps: Deps,
  ): Promise<{ readonly status: number; readonly body: unknown }>
}

export function performing<
  Deps,
  Caller,
  Name extends string,
  Body extends z.ZodType,
  Answer,
  Other,
>(exchange: Handled<Deps, Caller, Name, Body, Answer, Other>): Performing<Deps, Caller> {
  const schema = exchange.body ?? NoBody
  return {
    alsoUnder: exchange.alsoUnder,
    async perform(json, call, deps) {
      const input = parseInput(schema, json) as z.output<Body>
      const answer = await exchange.handle(input, call, deps)
      return exchange.otherwise && answer instanceof Object && 'otherwise' in answer
        ? { status: 202, body: answer.otherwise }
        : { status: statusOf(exchange), body: answer }
    },
  }
}
