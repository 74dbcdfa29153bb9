import type {
  AdapterPayload,
  ContextAdapter,
  InContext,
  StoreAdapter,
} from '../adapters/adapter.ts'
import { decorated } from '../adapters/decorated.ts'
import type { FindAccount } from '../find-account.ts'
import { sessionOf } from '../standing.ts'
import type { RefreshAnswers } from '../tokens/refresh-answers.ts'
import { currentUnit, quiet, type RequestUnit } from './request-unit.ts'

export interface PrefetchDeps {
  readonly adapterFor: (model: string) => StoreAdapter
  readonly findAccount: FindAccount
  readonly refreshAnswers: RefreshAnswers
}

/**
 * Fetches with a token, in one round trip, what the request will ask for next: its grant, its
 * session and its account. It judges nothing: what it takes away or answers from memory is what
 * the storage beneath it says.
 */
export function prefetching(deps: PrefetchDeps): (model: string) => StoreAdapter {
  return (model) => {
    const adapter = deps.adapterFor(model)
    switch (model) {
      case 'Grant':
        return decorated(adapter, {
          find: (id) => take(currentUnit()?.grants, id) ?? adapter.find(id),
        })
      case 'Session':
        return decorated(adapter, {
          findByUid: (uid) => take(currentUnit()?.sessions, uid) ?? adapter.findByUid(uid),
        })
      case 'AccessToken':
      case 'AuthorizationCode':
        return decorated(adapter, {
          find: async (id) => {
            const unit = currentUnit()
            return unit ? (await findAhead(deps, adapter, unit, id))?.token : adapter.find(id)
          },
        })
      case 'RefreshToken':
        return decorated(adapter, {
          find: async (id) => {
            const unit = currentUnit()
            return unit ? findRefreshToken(deps, adapter, unit, id) : adapter.find(id)
          },
        })
      default:
        return adapter
    }
  }
}

async function findAhead(
  { findAccount }: PrefetchDeps,
  adapter: StoreAdapter,
  unit: RequestUnit,
  id: string,
): Promise<InContext | undefined> {
  const found = await adapter.findInContext?.(id)
  if (!found) return undefined
  const { token, grant, session } = found
  const { grantId, accountId, clientId = '' } = token
  const uid = sessionOf(token)
  if (uid) unit.sessions.set(uid, Promise.resolve(session))
  if (grantId) unit.grants.set(grantId, Promise.resolve(grant))
  if (accountId && unit.needsAccount) void quiet(findAccount(accountId, uid))
  unit.clientId = clientId
  return found
}

async function findRefreshToken(
  deps: PrefetchDeps,
  adapter: StoreAdapter,
  unit: RequestUnit,
  id: string,
): Promise<AdapterPayload | undefined> {
  const found = await findAhead(deps, adapter, unit, id)
  // What was spent long ago is found by itself only.
  if (!found) return (await adapter.find(id)) ?? undefined
  // What is unknown is asked for twice; what is another client's takes as long: until the account
  // is there.
  for (const { account } of unit.accounts.values())
    unit.pending.push(account.catch(() => undefined))
  const { asked, clientId = '' } = unit
  if (found.isSpent && asked !== undefined)
    unit.given =
      (await deps.refreshAnswers.find(adapter as ContextAdapter, { token: id, clientId, asked })) ??
      null
  return found.token
}

/** Asks for an account once a request: where it was found in a session, it was found. */
export function findingOnce(findAccount: FindAccount): FindAccount {
  return async (sub, sessionId) => {
    const accounts = currentUnit()?.accounts
    const known = accounts?.get(sub)
    if (known && (sessionId === undefined || sessionId === known.sessionId)) {
      const account = await known.account
      if (account || sessionId === known.sessionId) return account
    }
    const account = findAccount(sub, sessionId)
    accounts?.set(sub, { sessionId, account: quiet(account) })
    return account
  }
}

function take<T>(found: Map<string, Promise<T>> | undefined, key: string): Promise<T> | undefined {
  const promise = found?.get(key)
  if (promise) found?.delete(key)
  return promise
}
