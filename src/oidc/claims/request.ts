import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { z } from 'zod'
import { OIDC_SCOPES } from '../../clients/scopes.ts'
import { CLAIMS_PARAMETER } from '../../config/limits.ts'
import { param } from '../param.ts'
import { CLAIMS_BY_SCOPE } from './registry.ts'

const { maxNames, maxValues } = CLAIMS_PARAMETER

const Value = z.union([z.string(), z.number(), z.boolean()])
/** Members that nobody defined are left out (OIDC Core 5.5.1). */
const Wish = z
  .object({
    essential: z.boolean().optional(),
    value: Value.optional(),
    values: z.array(Value).max(maxValues).optional(),
  })
  .nullable()
const Wishes = z.record(z.string(), Wish)
const Request = z.object({ userinfo: Wishes.default({}), id_token: Wishes.default({}) })

type Wish = z.output<typeof Wish>
type Wishes = z.output<typeof Wishes>
type Request = z.output<typeof Request>

/** Facts of the sign-in, which nobody is asked for. Only of them does a value matter. */
const OF_THE_SIGN_IN = new Set(CLAIMS_BY_SCOPE['openid'])

/** What a request says in `claims` (OIDC Core 5.5), once it has been read. */
export function claimsRequest(params: Readonly<Record<string, unknown>> | undefined): Request {
  const text = param(params, 'claims')
  return Request.parse(text === '' ? {} : JSON.parse(text))
}

/**
 * Bounds the parameter and writes it anew, so that all that reads it later reads the same: without
 * claims that no scope of the client would release, which are never asked for.
 */
export function readClaimsParameter({ oidc }: KoaContextWithOIDC, claims: unknown): void {
  const { params = {}, client } = oidc
  const { success, data } = Request.safeParse(claims)
  if (!success)
    throw new errors.InvalidRequest(
      'claims must be null or objects of essential, value and values, each a text, number or boolean',
    )
  const names = [...Object.keys(data.userinfo), ...Object.keys(data.id_token)]
  if (names.length > maxNames) throw new errors.InvalidRequest('claims parameter names too many')
  const scopes = client?.scope?.split(' ') ?? OIDC_SCOPES
  const kept = {
    userinfo: releasable(data.userinfo, scopes),
    id_token: releasable(data.id_token, scopes),
  }
  const isEmpty = Object.values(kept).every((wishes) => Object.keys(wishes).length === 0)
  params['claims'] = isEmpty ? undefined : JSON.stringify(kept)
}

/** Claims of the person that the request names one by one. */
export function askedClaims({ requestParamClaims }: KoaContextWithOIDC['oidc']): string[] {
  return [...requestParamClaims].filter((name) => !OF_THE_SIGN_IN.has(name))
}

/** Which of the claims come with the scopes. */
export function claimsOf(scopes: readonly string[], names: readonly string[]): string[] {
  const released = new Set(scopes.flatMap((scope) => CLAIMS_BY_SCOPE[scope] ?? []))
  return names.filter((name) => released.has(name))
}

function releasable(wishes: Wishes, scopes: readonly string[]): Wishes {
  const names = claimsOf(scopes, Object.keys(wishes))
  return Object.fromEntries(names.map((name) => [name, bounded(name, wishes[name] ?? null)]))
}

function bounded(name: string, wish: Wish): Wish {
  if (OF_THE_SIGN_IN.has(name)) return wish
  return wish?.essential === true ? { essential: true } : null
}
