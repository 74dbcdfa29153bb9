import type { Adapter, AdapterPayload } from 'oidc-provider'

export type { Adapter, AdapterPayload }

/** A token with what it hangs on, as it was at one moment. */
export interface InContext {
  readonly token: AdapterPayload
  readonly grant: AdapterPayload | undefined
  /** Of a token that expires with its session. */
  readonly session: AdapterPayload | undefined
  /** Whether it was spent so lately that `token` does not tell. */
  readonly isSpent: boolean
}

export interface Minted {
  readonly model: string
  readonly id: string
  readonly payload: AdapterPayload
  readonly expiresIn: number | undefined
}

/** What the stores' own adapters do besides. */
export interface ContextAdapter extends Adapter {
  /** One round trip instead of three, where all of it is on one server. */
  findInContext(id: string): Promise<InContext | undefined>
  /**
   * Consumes the code or refresh token, as `consume` does, and stores the one to three artifacts
   * that come of it. On one server all of it or nothing happens; on a Redis Cluster, whose slots
   * know no such promise, what comes of it is stored first, and forgotten if it was spent.
   */
  exchange(id: string, minted: readonly Minted[]): Promise<void>
  /**
   * The sealed answer that was kept when the refresh token was spent, while the refresh token in it
   * lives and is unspent.
   */
  findAnswer(id: string): Promise<string | undefined>
}

/** A store's own adapter, or one that stands in for it, such as that of the clients. */
export type StoreAdapter = Adapter & Partial<ContextAdapter>

/**
 * Where oidc-provider's models live. `test/storage/adapter-contract.ts` states what every store
 * must do. What the library's own adapters leave open is decided here:
 * - `consume` is won by exactly one caller over all instances; the others get `InvalidGrant` (TK-01, TK-03).
 * - Within the client's leeway `find` does not tell that a token was consumed, so the second
 *   request passes every check of the first and ends no family; after it the library sees
 *   `consumed` and revokes the family.
 * - A session that ended stays ended: no `upsert` of a request that still holds it brings it back.
 *   It goes on under a new id only where the same instance has destroyed the old id just before,
 *   as the library does when it rotates ids (SE-02).
 * - A code for a session that was revoked while the request ran is never found.
 * - `ReplayDetection` is insert-if-absent.
 * - `findByUid` returns the session without its id: for reading only; `revokeBySession` ends it.
 * Every method rejects with `AppError('unavailable')`, which the library answers with 503, when the
 * database cannot be used.
 */
export interface ArtifactStore extends AsyncDisposable {
  /** May be called unbound: it is the provider's `adapter` setting. */
  readonly adapterFor: (model: string) => Adapter
  /**
   * Everything of the account: sessions, interactions, grants, codes and tokens; but for one
   * session and what hangs on it, if named.
   */
  revokeByAccount(
    accountId: string,
    options?: { readonly exceptSessionUid?: string | undefined },
  ): Promise<void>
  /** The session, and the codes, tokens and grants that expire with it; what has offline access stays. */
  revokeBySession(sessionUid: string): Promise<void>
  /** What the account allowed one client: grants, codes and tokens. */
  revokeByAccountAndClient(accountId: string, clientId: string): Promise<void>
}

/** What is left of a code or token that was spent: enough to end its family when it comes again. */
export interface Spent {
  readonly clientId: string
  readonly grantId: string
  readonly sessionUid: string
}

export interface Use extends Spent {
  readonly model: string
  readonly id: string
  /** The one refresh token that came of it, by its digest. */
  readonly next?: string | undefined
  /** Milliseconds that it would have lived on; for ever if negative. */
  readonly leftMs: number
}

export interface PastUse extends Spent {
  readonly next?: string | undefined
  /** Unix time and age in seconds, by the clock of the store that remembers it. */
  readonly consumedAt: number
  readonly secondsAgo: number
}

/**
 * Remembers what was used for as long as it would have lived, for storage that may forget it, and
 * need not keep it.
 */
export interface UseLedger {
  /** The use that came before; `undefined` for the first, and of those at once, one is. */
  earlierUse(use: Use): Promise<Pick<PastUse, 'next' | 'secondsAgo'> | undefined>
  findUse(model: string, id: string): Promise<PastUse | undefined>
}

export interface ArtifactStoreOptions {
  /** Models that live elsewhere, such as `Client`. */
  readonly overrides?: Readonly<Record<string, Adapter>> | undefined
  /** Seconds in which a second use of a consumed code or refresh token is forgiven, 0 to 60. */
  readonly leewaySeconds: (clientId: string) => number
}
