import { AsyncLocalStorage } from 'node:async_hooks'
import { errors, type Provider } from 'oidc-provider'
import type { AdapterPayload, Minted, StoreAdapter } from '../adapters/adapter.ts'
import { endpointOf } from '../endpoints.ts'
import type { FindAccount } from '../find-account.ts'
import type { Given, TokenAnswer } from '../tokens/refresh-answers.ts'

/** An account, and the session that it was asked for in. */
interface KnownAccount {
  readonly sessionId: string | undefined
  readonly account: ReturnType<FindAccount>
}

/**
 * What one request at an endpoint that reads ahead has read, and the tokens it will hand out:
 * stored together, before the answer leaves and only if there is one. So its depth in round trips
 * is four at most (G18). Grants and sessions that were read ahead are used once.
 */
export interface RequestUnit {
  readonly grants: Map<string, Promise<AdapterPayload | undefined>>
  readonly sessions: Map<string, Promise<AdapterPayload | undefined>>
  readonly accounts: Map<string, KnownAccount>
  readonly minted: (Minted & { readonly adapter: StoreAdapter })[]
  /** Under way, and done before the answer leaves. */
  readonly pending: Promise<unknown>[]
  readonly needsAccount: boolean
  /** Of a request for tokens, where what is spent is spent last: what it asks for besides. */
  readonly asked?: string | undefined
  /** The JWT that introspection is asked about. */
  jwt?: string
  /** Whose the token is that was found. */
  clientId?: string
  /** What spends the code or token that the answer comes of, and stores what was minted. */
  exchange?: (body: TokenAnswer) => Promise<void>
  /** Whether who is not the first to spend it may be given the same. */
  isRepeatable?: boolean
  /**
   * Of a refresh token that was spent within the leeway: what it gave, or `null` if that cannot be
   * given again.
   */
  given?: Given | null
}

const units = new AsyncLocalStorage<RequestUnit>()

export const currentUnit = (): RequestUnit | undefined => units.getStore()

function newUnit(needsAccount: boolean, asked?: string): RequestUnit {
  return {
    grants: new Map(),
    sessions: new Map(),
    accounts: new Map(),
    minted: [],
    pending: [],
    needsAccount,
    asked,
  }
}

/** Reads ahead for the work. */
export function inUnit<T>(
  { account }: { readonly account: boolean },
  work: () => Promise<T>,
): Promise<T> {
  return units.run(newUnit(account), work)
}

/** What a request for tokens asks for besides the code or token that it presents. */
export const askedFor = (scope?: unknown, resource?: unknown): string =>
  JSON.stringify([scope, resource])

export interface ExchangeOptions {
  readonly account: boolean
  readonly asked: string
}

/**
 * Prefetches for the work. If the work returns an answer, the code or token that it consumed is
 * spent and the tokens that it minted are stored, in one call. The loser of a race for it gets the
 * provider's `InvalidGrant`; every other failure leaves all as it was. A refresh that lost is
 * retried with the same checks, and gets the same answer if that may be given again.
 */
export async function exchanging<T extends { readonly body: TokenAnswer }>(
  { account, asked }: ExchangeOptions,
  work: () => Promise<T | undefined>,
): Promise<(T & { readonly isRepeat: boolean }) | undefined> {
  for (let isSecond = false; ; isSecond = true) {
    const unit = newUnit(account, asked)
    const done = await units.run(unit, work)
    if (done === undefined) await Promise.all(unit.pending)
    if (done === undefined) return undefined
    const answer = { ...done, isRepeat: Boolean(unit.given) }
    if (answer.isRepeat) return answer
    try {
      await (unit.exchange ? unit.exchange(done.body) : store(unit.minted))
      return answer
    } catch (error) {
      if (isSecond || !unit.isRepeatable || !(error instanceof errors.InvalidGrant)) throw error
    }
  }
}

async function store(minted: RequestUnit['minted']): Promise<void> {
  await Promise.all(
    minted.map(({ adapter, id, payload, expiresIn }) =>
      adapter.upsert(id, payload, expiresIn as number),
    ),
  )
}

/** What was begun is done before the answer leaves. */
export function requestUnits(): Parameters<Provider['use']>[0] {
  return async (ctx, next) => {
    const ahead = endpointOf(ctx)?.readsAhead
    if (!ahead) return next()
    const unit = newUnit(ahead.account)
    try {
      await units.run(unit, next)
    } finally {
      await Promise.allSettled(unit.pending)
    }
    await Promise.all(unit.pending)
  }
}

/** A failure is told to who asks for the value; when the request ends before that, nobody does. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}
