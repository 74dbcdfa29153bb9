import type { Database } from '../database/database.ts'
import type { Logger } from '../logger/logger.ts'
import { ChangeFeed } from './change-feed.ts'
import { CHANNEL, type Changed, type Kind } from './changes.ts'

/** Keeps a copy of something that any instance may change. */
export interface Follower {
  changed(id: string): void
  /** Anything may have changed. */
  missed(): void
}

/**
 * What is announced to all instances, given to those who keep a copy of it: one connection for all
 * kinds. Announcements of a newer version, of kinds that nobody here follows, are passed over.
 */
export class Announcements implements AsyncDisposable {
  readonly #followers = new Map<string, Follower[]>()
  #feed: ChangeFeed | undefined

  static async open({
    database,
    logger,
  }: {
    database: Pick<Database, 'direct'>
    logger: Logger
  }): Promise<Announcements> {
    const announcements = new Announcements()
    announcements.#feed = await ChangeFeed.open({
      connection: database.direct,
      channel: CHANNEL,
      logger,
      onChange: (payload) => announcements.#tell(payload),
      onGap: () => announcements.#tellGap(),
    })
    return announcements
  }

  /** False while changes may go unheard: a copy is then good for seconds only. */
  get isLive(): boolean {
    return this.#feed?.isLive ?? false
  }

  follow(kind: Kind, follower: Follower): void {
    this.#followers.set(kind, [...(this.#followers.get(kind) ?? []), follower])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#feed?.[Symbol.asyncDispose]()
  }

  #tell(payload: string): void {
    const changed = parse(payload)
    if (!changed) this.#tellGap()
    else
      for (const follower of this.#followers.get(changed.kind) ?? []) follower.changed(changed.id)
  }

  #tellGap(): void {
    for (const follower of [...this.#followers.values()].flat()) follower.missed()
  }
}

function parse(payload: string): Changed | undefined {
  try {
    return JSON.parse(payload) as Changed
  } catch {
    return undefined
  }
}
