import { AsyncLocalStorage } from 'node:async_hooks'
import type { Context } from 'koa'
import { type AdapterFactory, errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider'
import type { Adapter, AdapterPayload, ContextAdapter, InContext, Minted } from './adapters/adapter.ts'
import { StoreUnavailable } from './adapters/unavailable.ts'
import type { FindAccount } from './find-account.ts'
import { TOKEN_LENGTHS } from './token-lengths.ts'

const AUTHORIZE = { account: false }
/** Where apps are authorized, and where tokens are spent and shown. `account`: the request will ask for that of its token. */
const ROUTES: ReadonlyMap<string, { readonly account: boolean }> = new Map([
  ['/auth', AUTHORIZE],
  ['/token', { account: true }],
  ['/userinfo', { account: true }],
  ['/token/introspection', { account: false }],
])
/** Whoever is given one of these goes on to ask for its session, its grant and its account, one after the other. */
const SOURCES = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken'])
const SPENT = new Set(['AuthorizationCode', 'RefreshToken'])
const MINTED = new Set(['AccessToken', 'RefreshToken'])
/** What an authorization leaves behind: nothing that the same request asks for again. */
const LEFT = new Set(['Grant', 'AuthorizationCode'])

/** A store's own, or one that stands in for it, which no token is asked of. */
type StoreAdapter = Adapter & Partial<ContextAdapter>
type Account = Awaited<ReturnType<FindAccount>>

/**
 * What one request at these routes has read ahead, and the tokens it will hand out: stored together, before the answer leaves and
 * only if there is one. So its depth in round trips is four at most (G18). Anything read ahead is used once.
 */
interface RequestUnit {
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
    const route = ROUTES.get(ctx.path) ?? (ctx.path.startsWith('/auth/') ? AUTHORIZE : undefined)
    if (!route) return next()
    const unit = newUnit(route.account, false)
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

/** Whether what a client was given at that time still counts. */
export type Honours = (clientId: string, issuedAt: number) => Promise<boolean>

/** The storage of the models, with what the current request has read ahead in front of it. */
export function readingAhead(adapterFor: (model: string) => Adapter, findAccount: FindAccount, honours: Honours): AdapterFactory {
  return (model) => {
    const adapter: StoreAdapter = adapterFor(model)
    const changed: Partial<Adapter> = {}
    // Every token of an app hangs on a grant: with it ends what the app held when it was disabled.
    if (model === 'Grant')
      changed.find = async (id) => {
        const grant = await (take(units.getStore()?.grants, id) ?? adapter.find(id))
        return grant && (await honours(grant.clientId ?? '', grant.iat ?? 0)) ? grant : undefined
      }
    if (model === 'Session') changed.findByUid = (uid) => take(units.getStore()?.sessions, uid) ?? adapter.findByUid(uid)
    if (SOURCES.has(model) || TOKEN_LENGTHS.has(model)) changed.find = (id) => find(model, id)
    if (SPENT.has(model))
      changed.consume = async (id) => {
        const unit = units.getStore()
        if (!unit?.spendsLast) return spend(id)
        unit.exchange = async (minted) => (minted.length > 0 ? (adapter as ContextAdapter).exchange(id, minted) : adapter.consume(id))
      }
    if (MINTED.has(model))
      changed.upsert = async (id, payload, expiresIn) => {
        const unit = units.getStore()
        if (!unit) return adapter.upsert(id, payload, expiresIn)
        unit.minted.push({ adapter, model, id, payload, expiresIn })
      }
    if (LEFT.has(model)) changed.upsert = (id, payload, expiresIn) => beforeTheAnswer(adapter.upsert(id, payload, expiresIn))
    // Whoever resumes has read it already, and a second one at the same time would have too.
    if (model === 'Interaction') changed.destroy = (id) => beforeTheAnswer(adapter.destroy(id))
    return Object.keys(changed).length > 0 ? Object.assign(bound(adapter), changed) : adapter

    async function spend(id: string): Promise<void> {
      const unit = units.getStore()
      if (unit && adapter.spend) unit.remember = await adapter.spend(id)
      else await adapter.consume(id)
    }

    async function find(name: string, id: string): Promise<AdapterPayload | undefined> {
      // Each kind of token has a length of its own: no other can be it.
      if (id.length !== (TOKEN_LENGTHS.get(name) ?? id.length)) return undefined
      const unit = units.getStore()
      if (!unit || !SOURCES.has(name)) return present(adapter.find(id))
      const found = await adapter.findInContext?.(id)
      if (found) readAhead(unit, found)
      return found?.token
    }
  }

  function readAhead(unit: RequestUnit, { token, grant, session }: InContext): void {
    const { grantId, accountId, sessionUid, expiresWithSession } = token
    if (sessionUid && expiresWithSession) unit.sessions.set(sessionUid, Promise.resolve(session))
    if (grantId) unit.grants.set(grantId, Promise.resolve(grant))
    if (accountId && unit.needsAccount) unit.accounts.set(accountId, quiet(findAccount(accountId)))
  }
}

/** At once where there is no unit; in one, together with what follows. */
async function beforeTheAnswer(change: Promise<unknown>): Promise<void> {
  const unit = units.getStore()
  if (unit) unit.pending.push(quiet(change))
  else await change
}

async function present(found: ReturnType<Adapter['find']>): Promise<AdapterPayload | undefined> {
  return (await found) ?? undefined
}

/** `findAccount` for the provider: what was read ahead, else the account as it is now. */
export function accountReadAhead(findAccount: FindAccount): FindAccount {
  return (sub) => take(units.getStore()?.accounts, sub) ?? findAccount(sub)
}

function take<T>(found: Map<string, Promise<T>> | undefined, key: string): Promise<T> | undefined {
  const promise = found?.get(key)
  if (promise) found?.delete(key)
  return promise
}

/** A failure is told to whoever asks for the value; when the request ends before that, nobody does. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
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
