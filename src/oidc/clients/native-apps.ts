import type { NativeApp } from '../../clients/native-app.ts'
import type { Database } from '../../database/database.ts'
import type { Announcements } from '../../feed/announcements.ts'
import { LookupCache } from '../../feed/lookup-cache.ts'

/** What live clients say of their apps. */
const APPS = {
  name: 'client-native-apps',
  text: `
select coalesce(jsonb_agg(distinct "app"), '[]')::text as "apps"
from "client", jsonb_array_elements("registration"->'nativeApps') "app"
where "is_first_party" and "disabled_at" is null`,
}
const ALL = 'all'

interface Known {
  readonly apps: readonly NativeApp[]
  /** Where their passkeys come from. */
  readonly origins: readonly string[]
}

/** The native apps of all clients, as one list in memory. */
export class NativeApps {
  readonly #cache: LookupCache<Known>

  constructor({
    pool,
    announcements,
  }: Pick<Database, 'pool'> & { readonly announcements: Announcements }) {
    const cache = new LookupCache<Known>({
      isLive: () => announcements.isLive,
      max: 1,
      load: async () => {
        const { rows } = await pool.query<{ apps: string }>(APPS)
        const apps = JSON.parse(rows[0]?.apps ?? '[]') as NativeApp[]
        return { apps, origins: apps.flatMap(originsOf) }
      },
    })
    const missed = () => cache.missed()
    announcements.follow('client', { changed: missed, missed })
    this.#cache = cache
  }

  async all(): Promise<readonly NativeApp[]> {
    return (await this.#cache.find(ALL))?.apps ?? []
  }

  async origins(): Promise<readonly string[]> {
    return (await this.#cache.find(ALL))?.origins ?? []
  }
}

/** An app of Android says whose certificate signed it; one of Apple's says the origin of the server. */
function originsOf(app: NativeApp): string[] {
  if (!('android_package' in app)) return []
  return app.sha256_cert_fingerprints.map((fingerprint) => {
    const digest = Buffer.from(fingerprint.replaceAll(':', ''), 'hex')
    return `android:apk-key-hash:${digest.toString('base64url')}`
  })
}
