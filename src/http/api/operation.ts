import type { Context, Middleware } from 'koa'
import type { z } from 'zod'
import { type LimitName, MAX_CLIENT_ID } from '../../config/limits.ts'
import type { ErrorCode } from '../../errors.ts'
import { readJson } from '../middleware/body.ts'
import { originOf } from '../state.ts'
import {
  type Call,
  type Exchange,
  type Handled,
  type NoBody,
  type Performing,
  performing,
} from './exchange.ts'

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'
/** A method and a path below the API's; parameters are written `{name}`. */
type Route = `${Method} /${string}`
type Param<R> = R extends `${string}{${infer Name}}${infer Rest}` ? Name | Param<Rest> : never

/** Who may call, and what a handler then knows of them. */
export interface Guard<Deps, Caller> {
  /** For the reader of the documentation. */
  readonly words: string
  readonly isBearer: boolean
  readonly refusals: readonly ErrorCode[]
  /** Refuses what the headers alone are refused for, before the request is counted. */
  readonly precheck?: Middleware
  /** Throws a refusal, or says who is calling. */
  readonly admit: (ctx: Context, deps: Deps) => Promise<Caller>
}

interface About<Deps, Caller, R extends Route> {
  readonly route: R
  readonly guard: Guard<Deps, Caller>
  readonly limit: LimitName
  readonly summary: string
  readonly description?: string
  /** Besides those of the guard, those of the body and those of every route. */
  readonly refusals?: readonly ErrorCode[]
}

/** A route. The router and the documentation are both made of it. */
export interface Operation<Deps> extends Omit<About<Deps, unknown, Route>, 'route'> {
  readonly id: string
  readonly family: string
  readonly method: Method
  readonly path: string
  /** One call, or the first and the second of a flow and what else they may lead to. */
  readonly exchanges: readonly Exchange[]
  readonly run: (ctx: Context, deps: Deps, limit: (name: LimitName) => Middleware) => Promise<void>
}

type Unnamed<Deps> = Omit<Operation<Deps>, 'id' | 'family'>

/** The operations of one subject, by their ids. */
export function family<Deps>(
  name: string,
  operations: Readonly<Record<string, Unnamed<Deps>>>,
): Operation<Deps>[] {
  return Object.entries(operations).map(([id, each]) => ({ ...each, id, family: name }))
}

/** A route of one call. */
export function operation<
  Deps,
  Caller,
  const R extends Route,
  Body extends z.ZodType = typeof NoBody,
  Answer = void,
>(
  spec: About<Deps, Caller, R> & Handled<Deps, Caller, Param<R>, Body, Answer, never>,
): Unnamed<Deps> {
  const only = performing(spec)
  return made(spec, [spec], () => only)
}

type Called<Deps, Caller, R extends Route, Body extends z.ZodObject, Answer> = Handled<
  Deps,
  Caller,
  Param<R>,
  Body,
  Answer,
  never
> & { readonly body: Body }

/** A flow of two calls of one route: the second brings the proof that the first asked for. */
export function twoCalls<
  Deps,
  Caller,
  const R extends Route,
  First extends z.ZodType,
  Begun,
  Second extends z.ZodObject,
  Done,
  Other = never,
>(
  spec: About<Deps, Caller, R> & {
    readonly first: Handled<Deps, Caller, Param<R>, First, Begun, Other>
    readonly second: Called<Deps, Caller, R, Second, Done>
  },
): Unnamed<Deps> {
  return severalCalls<Deps, Caller, R, First, Begun, Second, Done, never, never, Other>(spec)
}

/**
 * The same where there is another proof than the second call's. A body with any part of a proof is
 * judged as the call of that proof only: half a proof never falls back to the first (TF-07).
 */
export function severalCalls<
  Deps,
  Caller,
  const R extends Route,
  First extends z.ZodType,
  Begun,
  Second extends z.ZodObject,
  Done,
  Third extends z.ZodObject,
  Also,
  Other = never,
>({
  first,
  second,
  third,
  ...about
}: About<Deps, Caller, R> & {
  readonly first: Handled<Deps, Caller, Param<R>, First, Begun, Other>
  readonly second: Called<Deps, Caller, R, Second, Done>
  readonly third?: Called<Deps, Caller, R, Third, Also>
}): Unnamed<Deps> {
  const exchanges = [
    first,
    second,
    ...(third ? [third] : []),
    ...(first.otherwise ? [{ ...first.otherwise, status: 202 as const }] : []),
  ]
  const begin = performing(first)
  const proofs = [
    { names: proofsIn(second.body), ...performing(second) },
    ...(third ? [{ names: proofsIn(third.body), ...performing(third) }] : []),
  ]
  return made(
    about,
    exchanges,
    (json) => proofs.find(({ names }) => names.some((name) => Object.hasOwn(json, name))) ?? begin,
  )
}

const PROOF = ['code', 'token', 'tokenId', 'credential']

function proofsIn({ shape }: z.ZodObject): string[] {
  return PROOF.filter((name) => name in shape)
}

type Exchanged = Pick<Operation<never>, 'exchanges'>

export const takesBody = ({ exchanges }: Exchanged): boolean => exchanges.some(({ body }) => body)

export function isBodyOptional({ exchanges }: Exchanged): boolean {
  return exchanges.every(({ body, isBodyOptional }) => !body || isBodyOptional)
}

function made<Deps, Caller, R extends Route>(
  { route, guard, limit, summary, description, refusals = [] }: About<Deps, Caller, R>,
  exchanges: readonly Exchange[],
  choose: (json: object) => Performing<Deps, Caller>,
): Unnamed<Deps> {
  const [method, path] = route.split(' ') as [Method, string]
  const operation = { method, path, guard, limit, summary, refusals, exchanges }
  return {
    ...operation,
    ...(description === undefined ? {} : { description }),
    async run(ctx, deps, limitOf) {
      const caller = await guard.admit(ctx, deps)
      const json = takesBody(operation)
        ? await readJson(ctx.req, { isOptional: isBodyOptional(operation) })
        : {}
      ctx.state.json = json
      const { perform, alsoUnder } = choose(json)
      const answer = async (): Promise<void> => {
        const { status, body } = await perform(json, callOf(ctx, caller), deps)
        ctx.status = status
        if (body !== undefined) ctx.body = body
      }
      await (alsoUnder ? limitOf(alsoUnder)(ctx, answer) : answer())
    },
  }
}

function callOf<Caller>(ctx: Context, caller: Caller): Call<Caller, string> {
  return {
    caller,
    origin: originOf(ctx),
    param(name) {
      const value = (ctx['params'] as Readonly<Record<string, string | undefined>>)[name] ?? ''
      return value.length <= MAX_CLIENT_ID && /^[!-~]+$/.test(value) ? value : ''
    },
  }
}
