import { canonicalEmail } from '../accounts/canonical-email.ts'
import type { EntityManager } from '../database/database.ts'
import { Provider } from '../entities/index.ts'
import type { ProviderKindName } from '../entities/provider.ts'
import type { Announcements } from '../feed/announcements.ts'
import { LookupCache } from '../feed/lookup-cache.ts'
import type { Logger } from '../logger/logger.ts'
import { type ProviderSettings, SETTINGS } from './provider-settings.ts'
import { KINDS } from './providers/index.ts'

/** A provider that is enabled, as the flows need it. */
export interface LiveProvider {
  readonly id: string
  readonly kind: ProviderKindName
  readonly name: string
  readonly issuer: string
  readonly clientId: string
  readonly secretBox: Buffer | undefined
  readonly scopes: readonly string[]
  readonly settings: ProviderSettings
  readonly version: number
}

export interface ProvidersDeps {
  readonly em: EntityManager
  readonly announcements: Announcements
  readonly logger: Logger
}

/** There are few: they are read together. */
const ALL = 'all'

/**
 * Whom people may sign in with, in the order of their buttons. From memory: every instance forgets
 * it when one of them changes it.
 */
export class Providers {
  readonly #cache: LookupCache<readonly LiveProvider[]>
  readonly #logger: Logger

  constructor({ em, announcements, logger }: ProvidersDeps) {
    this.#logger = logger
    this.#cache = new LookupCache({
      isLive: () => announcements.isLive,
      max: 1,
      load: () => this.#read(em.fork()),
    })
    announcements.follow('provider', {
      changed: () => this.#cache.missed(),
      missed: () => this.#cache.missed(),
    })
  }

  async all(): Promise<readonly LiveProvider[]> {
    return (await this.#cache.find(ALL)) ?? []
  }

  /** One that is enabled. */
  async find(id: string): Promise<LiveProvider | undefined> {
    return (await this.all()).find((each) => each.id === id)
  }

  /**
   * Where people of the address's domain sign in, and nowhere else: the domain alone decides. In a
   * transaction it is asked on that connection: who waits for another while holding one may wait for
   * all others that do.
   */
  async enforcing(address: string, tx?: EntityManager): Promise<LiveProvider | undefined> {
    const domain = canonicalEmail(address)?.split('@').at(-1)
    if (domain === undefined) return undefined
    const all = tx ? await this.#read(tx) : await this.all()
    return all.find(
      ({ settings }) => settings.enforceForDomains && settings.domains.includes(domain),
    )
  }

  /** Those that an app's people may use: all, or those that the app names. */
  async offered(client?: {
    readonly providers?: readonly string[] | undefined
  }): Promise<readonly LiveProvider[]> {
    const named = client?.providers
    const all = await this.all()
    return named ? all.filter(({ id }) => named.includes(id)) : all
  }

  /** One of them. */
  async findOffered(
    id: string,
    client?: Parameters<Providers['offered']>[0],
  ): Promise<LiveProvider | undefined> {
    return (await this.offered(client)).find((each) => each.id === id)
  }

  async #read(em: EntityManager): Promise<LiveProvider[]> {
    const orderBy = { position: 'asc', name: 'asc', id: 'asc' } as const
    const rows = await em.find(Provider, { disabledAt: null }, { orderBy })
    return rows.flatMap((row) => {
      const { live, fault } = liveProvider(row)
      if (!live)
        this.#logger.error({ event: 'upstream.provider_unreadable', provider: row.id, fault })
      return live ?? []
    })
  }
}

/** The row as the flows need it, or what is wrong with it. */
export function liveProvider(
  row: Provider,
):
  | { readonly live: LiveProvider; readonly fault?: undefined }
  | { readonly live?: undefined; readonly fault: string } {
  const kind = KINDS[row.kind]
  if (!kind) return { fault: `its kind "${row.kind}" is not known here` }
  const settings = SETTINGS[row.kind].safeParse(row.settings)
  if (!settings.success) return { fault: settings.error.message }
  const issuer = row.issuer ?? kind.issuer?.(settings.data)
  if (!issuer) return { fault: 'it has no issuer' }
  const { id, name, clientId, secretBox, scopes, version } = row
  return {
    live: {
      id,
      kind: row.kind,
      name,
      issuer,
      clientId,
      secretBox: secretBox ? Buffer.from(secretBox) : undefined,
      scopes,
      settings: settings.data,
      version,
    },
  }
}
