import type { AdapterFactory } from 'oidc-provider'
import type { Adapter, AdapterPayload, ContextAdapter, InContext } from '../adapters/adapter.ts'
import { alreadyConsumed } from '../adapters/consumption.ts'
import type { FindAccount } from '../find-account.ts'
import type { RefreshAnswers } from '../tokens/refresh-answers.ts'
import { TOKEN_LENGTHS } from '../tokens/token-lengths.ts'
import { currentUnit, type RequestUnit, type StoreAdapter } from './request-unit.ts'

/**
 * Whoever is given one of these goes on to ask for its session, its grant and its account, one
 * after the other.
 */
const SOURCES = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken'])
const REFRESH = 'RefreshToken'
const SPENT = new Set(['AuthorizationCode', 'RefreshToken'])
const MINTED = new Set(['AccessToken', 'RefreshToken'])
/** What an authorization leaves behind: nothing that the same request asks for again. */
const LEFT = new Set(['Grant', 'AuthorizationCode'])

/** Whether what a client was given at that time still counts. */
export type Honours = (clientId: string, issuedAt: number) => Promise<boolean>

export interface ReadingAheadDeps {
  readonly adapterFor: (model: string) => Adapter
  readonly findAccount: FindAccount
  readonly honours: Honours
  readonly refreshAnswers: RefreshAnswers
}

/** The storage of the models, with what the current request has read ahead in front of it. */
export function readingAhead({
  adapterFor,
  findAccount,
  honours,
  refreshAnswers,
}: ReadingAheadDeps): AdapterFactory {
  return (model) => {
    const adapter: StoreAdapter = adapterFor(model)
    const changed: Partial<Adapter> = {}
    // Every token of an app hangs on a grant: with it ends what the app held when it was disabled.
    if (model === 'Grant')
      changed.find = async (id) => {
        const grant = await (take(currentUnit()?.grants, id) ?? adapter.find(id))
        return grant && (await honours(grant.clientId ?? '', grant.iat ?? 0)) ? grant : undefined
      }
    if (model === 'Session') {
      changed.find = findSession
      changed.findByUid = (uid) => take(currentUnit()?.sessions, uid) ?? adapter.findByUid(uid)
    }
    if (SOURCES.has(model) || TOKEN_LENGTHS.has(model)) changed.find = (id) => find(model, id)
    if (SPENT.has(model)) changed.consume = consume
    if (MINTED.has(model))
      changed.upsert = async (id, payload, expiresIn) => {
        const unit = currentUnit()
        if (!unit) return adapter.upsert(id, payload, expiresIn)
        if (!unit.given) unit.minted.push({ adapter, model, id, payload, expiresIn })
      }
    if (LEFT.has(model))
      changed.upsert = (id, payload, expiresIn) =>
        beforeTheAnswer(adapter.upsert(id, payload, expiresIn))
    // Whoever resumes has read it already, and a second one at the same time would have too.
    if (model === 'Interaction') changed.destroy = (id) => beforeTheAnswer(adapter.destroy(id))
    return Object.keys(changed).length > 0 ? Object.assign(bound(adapter), changed) : adapter

    /** A sign-in is over where its row is gone, also if the storage has brought it back (SE-06). */
    async function findSession(id: string): Promise<AdapterPayload | undefined> {
      const session = await present(adapter.find(id))
      if (!session?.accountId) return session
      const account = await findAccount(session.accountId, session.uid)
      if (account) currentUnit()?.accounts.set(session.accountId, Promise.resolve(account))
      return account && session
    }

    async function consume(id: string): Promise<void> {
      const unit = currentUnit()
      if (unit?.asked === undefined) return adapter.consume(id)
      const { given, asked, minted, clientId = '' } = unit
      if (given === null) throw alreadyConsumed(model)
      if (given) return
      unit.isRepeatable = model === REFRESH
      unit.exchange = async (body) => {
        const kept = unit.isRepeatable
          ? refreshAnswers.kept({ token: id, clientId, asked, body, minted })
          : []
        const all = [...minted, ...kept]
        await (all.length > 0 ? (adapter as ContextAdapter).exchange(id, all) : adapter.consume(id))
      }
    }

    async function find(name: string, id: string): Promise<AdapterPayload | undefined> {
      // Each kind of token has a length of its own: no other can be it.
      if (id.length !== (TOKEN_LENGTHS.get(name) ?? id.length)) return undefined
      const unit = currentUnit()
      if (!unit || !SOURCES.has(name)) return present(adapter.find(id))
      const found = await adapter.findInContext?.(id)
      // What was spent long ago is found by itself only.
      if (!found) return name === REFRESH ? present(adapter.find(id)) : undefined
      readAhead(unit, found)
      // What is unknown is asked for twice; what is another client's takes as long: until the
      // account is there.
      if (name === REFRESH)
        unit.pending.push(
          ...[...unit.accounts.values()].map((account) => account.catch(() => undefined)),
        )
      const { clientId = '' } = found.token
      unit.clientId = clientId
      if (found.isSpent && name === REFRESH && unit.asked !== undefined)
        unit.given =
          (await refreshAnswers.find(adapter as ContextAdapter, {
            token: id,
            clientId,
            asked: unit.asked,
          })) ?? null
      return found.token
    }
  }

  function readAhead(unit: RequestUnit, { token, grant, session }: InContext): void {
    const { grantId, accountId, sessionUid, expiresWithSession } = token
    if (sessionUid && expiresWithSession) unit.sessions.set(sessionUid, Promise.resolve(session))
    if (grantId) unit.grants.set(grantId, Promise.resolve(grant))
    if (accountId && unit.needsAccount)
      unit.accounts.set(
        accountId,
        quiet(findAccount(accountId, expiresWithSession ? sessionUid : undefined)),
      )
  }
}

/** At once where there is no unit; in one, together with what follows. */
async function beforeTheAnswer(change: Promise<unknown>): Promise<void> {
  const unit = currentUnit()
  if (unit) unit.pending.push(quiet(change))
  else await change
}

async function present(found: ReturnType<Adapter['find']>): Promise<AdapterPayload | undefined> {
  return (await found) ?? undefined
}

/** `findAccount` for the provider: what was read ahead, else the account as it is now. */
export function accountReadAhead(findAccount: FindAccount): FindAccount {
  return (sub) => take(currentUnit()?.accounts, sub) ?? findAccount(sub)
}

function take<T>(found: Map<string, Promise<T>> | undefined, key: string): Promise<T> | undefined {
  const promise = found?.get(key)
  if (promise) found?.delete(key)
  return promise
}

function bound(adapter: Adapter): Adapter {
  return {
    upsert: (...all) => adapter.upsert(...all),
    find: (id) => adapter.find(id),
    findByUserCode: (code) => adapter.findByUserCode(code),
    findByUid: (uid) => adapter.findByUid(uid),
    consume: (id) => adapter.consume(id),
    destroy: (id) => adapter.destroy(id),
    revokeByGrantId: (id) => adapter.revokeByGrantId(id),
  }
}

/** A failure is told to whoever asks for the value; when the request ends before that, nobody does. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}
