import { AsyncLocalStorage } from 'node:async_hooks'
import type { Context } from 'koa'
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider'
import type { Adapter, AdapterPayload, ContextAdapter, Minted } from './adapters/adapter.ts'
import { StoreUnavailable } from './adapters/unavailable.ts'
import { endpointOf } from './endpoints.ts'
import type { FindAccount } from './find-account.ts'

/** A store's own, or one that stands in for it, which no token is asked of. */
export type StoreAdapter = Adapter & Partial<ContextAdapter>
type Account = Awaited<ReturnType<FindAccount>>

/**
 * What one request at an endpoint that reads ahead has read, and the tokens it will hand out: stored together, before the answer leaves and
 * only if there is one. So its depth in round trips is four at most (G18). Anything read ahead is used once.
 */
export interface RequestUnit {
  readonly grants: Map<string, Promise<AdapterPayload | undefined>>
  readonly sessions: Map<string, Promise<AdapterPayload | undefined>>
  readonly accounts: Map<string, Promise<Account>>
  readonly minted: (Minted & { readonly adapter: StoreAdapter })[]
  /** What spends the code or token that the minted ones come of, and stores them. */
  exchange?: (minted: readonly Minted[]) => Promise<void>
  /** Of what was spent: done beside the storing of the minted ones. */
  remember?: () => Promise<void>
  /** Whether nothing is spent before all of the answer is there. */
  readonly spendsLast: boolean
  /** Under way, and done before the answer leaves. */
  readonly pending: Promise<unknown>[]
  readonly needsAccount: boolean
}

const units = new AsyncLocalStorage<RequestUnit>()

export const currentUnit = (): RequestUnit | undefined => units.getStore()

function newUnit(needsAccount: boolean, spendsLast: boolean): RequestUnit {
  return { grants: new Map(), sessions: new Map(), accounts: new Map(), minted: [], pending: [], needsAccount, spendsLast }
}

/**
 * Reads ahead for the work. If it comes to an end that is not `undefined`, what it consumed is spent and what it minted is stored, in
 * one: whoever was not the first to spend gets the provider's `InvalidGrant`, and every other failure leaves all as it was.
 */
export async function inUnit<T>({ account }: { readonly account: boolean }, work: () => Promise<T>): Promise<T> {
  const unit = newUnit(account, true)
  const done = await units.run(unit, work)
  if (done !== undefined) await (unit.exchange ? unit.exchange(unit.minted) : store(unit.minted))
  return done
}

/** Stores the tokens of the answer. One that could not be stored is no answer (TK-10). */
export function requestUnits(): Parameters<Provider['use']>[0] {
  return async (ctx, next) => {
    const ahead = endpointOf(ctx)?.readsAhead
    if (!ahead) return next()
    const unit = newUnit(ahead.account, false)
    await units.run(unit, next)
    await Promise.all(unit.pending)
    try {
      await Promise.all([unit.remember?.(), ctx.status === 200 ? store(unit.minted) : undefined])
    } catch (error) {
      refuse((ctx as KoaContextWithOIDC).oidc.provider, ctx, error)
    }
  }
}

async function store(minted: RequestUnit['minted']): Promise<void> {
  const [first, second, ...more] = minted
  if (first?.adapter.upsertBoth && second && more.length === 0) await first.adapter.upsertBoth(first, second)
  else await Promise.all(minted.map(({ adapter, id, payload, expiresIn }) => adapter.upsert(id, payload, expiresIn as number)))
}

/** As the provider answers when its storage fails, or knows that a token was used, in the middle of a request. */
export function refuse(provider: Provider, ctx: Pick<Context, 'status' | 'body' | 'set'>, error: unknown): void {
  if (error instanceof errors.InvalidGrant) {
    ctx.status = error.statusCode
    ctx.body = { error: error.error, error_description: error.error_description }
    provider.emit('grant.error', ctx, error)
    return
  }
  ctx.status = error instanceof StoreUnavailable ? error.statusCode : 500
  if (error instanceof StoreUnavailable) ctx.set('Retry-After', String(error.details.retryAfterSeconds))
  ctx.body = { error: 'server_error', error_description: 'oops! something went wrong' }
  provider.emit('server_error', ctx, error)
}
