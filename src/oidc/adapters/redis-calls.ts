import type { Spent } from './adapter.ts'
import type { StoredPayload } from './stored-payload.ts'

/** An artifact on its way into Redis. Nothing of it opens anything. */
export interface Entry {
  readonly model: string
  /** As `nameOf` says. */
  readonly name: string
  readonly lookup: Buffer | undefined
  readonly payload: StoredPayload
  readonly accountId: string
  readonly clientId: string
  readonly sessionUid: string
  readonly grantId: string
  /** Whether it ends with its session (`on`), survives it (`off`), or is not of it (empty). */
  readonly bind: 'on' | 'off' | ''
  /** Whether this process has read its session lately: then there is one, or it was lost. */
  readonly isSessionHeld: boolean
  /** Milliseconds since the epoch. */
  readonly consumedAt: number | undefined
  /** Milliseconds to live; for ever if undefined. */
  readonly ttl: number | undefined
}

export interface SessionEntry extends Entry {
  /** Of the rotation that this instance has begun. */
  readonly proof: string
}

/** The answer to a refresh, kept beside the token that was spent for it, under the same name. */
export interface Answer {
  readonly text: string
  /** Milliseconds to live. */
  readonly ttl: number
}

/** A valid artifact, as it is stored. */
export interface Found {
  readonly fields: ReadonlyMap<string, string>
  /** Milliseconds, by the clock of Redis. */
  readonly now: number
}

/** A token, with its grant and the session that it ends with, if these are valid. */
export interface FoundInContext {
  readonly token: Found
  readonly grant: Found | undefined
  readonly session: Found | undefined
}

/** What was consumed, which stays for `keepMs` at most. */
export interface Consumed extends Spent {
  /** Milliseconds that it would have lived on; for ever if negative. */
  readonly leftMs: number
}

/**
 * What the adapter asks of Redis: one round trip each on one server; on a Cluster a second one
 * where records are in other slots.
 */
export interface Calls {
  /** False if the entry must not be stored: replayed, or a code of an ended session. */
  put(entry: Entry): Promise<boolean>
  putSession(entry: SessionEntry): Promise<void>
  find(model: string, name: string): Promise<Found | undefined>
  findInContext(model: string, name: string): Promise<FoundInContext | undefined>
  findByLookup(model: string, lookup: Buffer): Promise<Found | undefined>
  findSession(name: string): Promise<Found | undefined>
  findSessionByUid(uid: string): Promise<Found | undefined>
  /** Undefined if this call is not the one that consumes it. */
  consume(model: string, name: string, keepMs: number | undefined): Promise<Consumed | undefined>
  /** The same, with what comes of it; nothing of that is left otherwise. */
  exchange(
    model: string,
    name: string,
    made: { readonly entries: readonly Entry[]; readonly answer: Answer | undefined },
    keepMs: number | undefined,
  ): Promise<Consumed | undefined>
  destroy(model: string, name: string): Promise<void>
  /** The session's uid, if there was one of that id. */
  destroySession(name: string, proof: string): Promise<string | undefined>
}

/** How long the trace of an ended session outlives it: longer than any request that may still hold it. */
export const TRACE_MS = 600_000
