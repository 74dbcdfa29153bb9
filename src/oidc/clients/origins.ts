import type { Database } from '../../database/database.ts'
import type { Announcements } from '../../feed/announcements.ts'
import { LookupCache } from '../../feed/lookup-cache.ts'

/** Scheme and host of each web address; a program's own scheme has no origin. */
const ORIGINS = {
  name: 'client-origins',
  text: `select distinct substring("uri" from '^https?://[^/?#]+') as "address"
  from "client", jsonb_array_elements_text("metadata"->'redirect_uris') "uri"
  where "disabled_at" is null`,
}
const ALL = 'all'

export interface OriginsDeps extends Pick<Database, 'pool'> {
  readonly announcements: Announcements
}

/** The origins of what live clients have registered as redirect URIs, as one set in memory (SE-14). */
export class RegisteredOrigins {
  readonly #cache: LookupCache<ReadonlySet<string>>

  constructor({ pool, announcements }: OriginsDeps) {
    const cache = new LookupCache<ReadonlySet<string>>({
      isLive: () => announcements.isLive,
      max: 1,
      load: async () => {
        const { rows } = await pool.query<{ address: string | null }>(ORIGINS)
        return new Set(rows.flatMap(({ address }) => URL.parse(address ?? '')?.origin ?? []))
      },
    })
    const missed = () => cache.missed()
    announcements.follow('client', { changed: missed, missed })
    this.#cache = cache
  }

  /** No, too, where nobody can tell. */
  async has(origin: string): Promise<boolean> {
    const all = await this.#cache.find(ALL).catch(() => undefined)
    return all?.has(origin) ?? false
  }
}
