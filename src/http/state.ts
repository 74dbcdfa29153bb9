import type { Context } from 'koa'
import type { RequestOrigin } from '../audit/request-origin.ts'
import type { Endpoint } from '../oidc/endpoints.ts'
import type { WayBack } from '../oidc/starting-again.ts'
import type { Principal } from './api/principal.ts'
import type { Step } from './interactions/interaction.ts'
import type { Visitor } from './pages/account/session.ts'

/** The fields of a form that came once each. One that was not sent is `undefined`. */
export type Form = Readonly<Record<string, string | undefined>>

/** What travels with a request in `ctx.state`, and which middleware puts it there. */
interface RequestState {
  /** `endpoints`: the endpoint of the protocol that the path names. */
  endpoint?: Endpoint | undefined
  /** `requestContext`: names the request in the log and the audit trail. */
  requestId: string
  /** `requestContext`: who calls, and with what. */
  origin: RequestOrigin
  /** `formBody`: read it with `formOf`. */
  form?: Form
  /** `Operation`: an object that nobody has looked at yet. */
  json?: unknown
  /** `koa-ratelimit`: when a refused caller may come back, in seconds. */
  rateLimit?: { readonly after?: number }
  /** `nonceOf`: the CSP nonce of this response. */
  nonce?: string
  /** `Csrf.token`: the seed of this browser, also before its cookie is set. */
  csrfSeed?: string
  /** The guards of an API: who calls it. */
  principal?: Principal
  /** `accountSession`: read it with `visitorOf`. */
  visitor?: Visitor
  /** `loadStep`: the interaction, loaded once for each request. */
  step?: Step
  /** `loadStep`: the languages that the app asked for. */
  uiLocales?: string | undefined
  /** The interactions' router: how a person gets out of one that is over. */
  wayBack?: WayBack | undefined
}

declare module 'koa' {
  interface DefaultState extends RequestState {}
}

/** Where the request came from, as the first middleware found it. */
export function originOf(ctx: Context): RequestOrigin {
  return ctx.state.origin
}

/** The form of a request. Throws unless the route is behind `formBody`. */
export function formOf(ctx: Context): Form {
  const { form } = ctx.state
  if (!form) throw new Error('this route has no formBody')
  return form
}
