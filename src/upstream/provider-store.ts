import { isDeepStrictEqual } from 'node:util'
import { LockMode } from '@mikro-orm/core'
import { type AuditSink, type AuditType, OPERATOR } from '../audit/event.ts'
import { osUser } from '../audit/os-user.ts'
import { lockName } from '../clients/locked.ts'
import type { MayName } from '../clients/logout-address.ts'
import { refused } from '../clients/reasons.ts'
import type { SecretBox } from '../crypto/secret-box.ts'
import type { EntityManager } from '../database/database.ts'
import { Provider } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { announce } from '../feed/changes.ts'
import {
  type CheckedProvider,
  checkedSecret,
  type ProviderInput,
  parseProvider,
} from './provider-input.ts'
import { liveProvider } from './providers.ts'
import { secretContext } from './secret.ts'

export interface ProviderStoreDeps {
  readonly em: EntityManager
  readonly box: SecretBox
  readonly audit: AuditSink
  /** Whether the operator may name this host, though it is not on the public internet. */
  readonly mayName: MayName
}

export type ProviderChange = Partial<Omit<ProviderInput, 'id' | 'kind'>> & {
  readonly secret?: string | undefined
}

const FIELDS = ['name', 'issuer', 'clientId', 'scopes', 'position', 'settings'] as const

/** The operator's hand on the providers: every instance hears of a change. Each is all or nothing. */
export class ProviderStore {
  readonly #deps: ProviderStoreDeps

  constructor(deps: ProviderStoreDeps) {
    this.#deps = deps
  }

  async list(): Promise<Provider[]> {
    const orderBy = { position: 'asc', name: 'asc', id: 'asc' } as const
    return this.#deps.em.fork().findAll(Provider, { orderBy })
  }

  /** Throws `not_found`. */
  async get(id: string): Promise<Provider> {
    const provider = await this.#deps.em.fork().findOne(Provider, { id })
    if (!provider) throw new AppError('not_found')
    return provider
  }

  /** Throws `invalid_input` with the reason for each field. */
  async create(input: ProviderInput, secret: string | undefined): Promise<Provider> {
    const wanted = parseProvider(input, this.#deps.mayName)
    const box = this.#sealed(wanted, secret)
    return this.#deps.em.fork().transactional(async (tx) => {
      await lockName(tx, `provider ${wanted.id}`)
      if ((await tx.count(Provider, { id: wanted.id })) > 0)
        throw refused({ id: { code: 'provider_taken' } })
      await this.#refuseForeignDomains(tx, wanted)
      const provider = tx.create(Provider, {
        ...columnsOf(wanted),
        id: wanted.id,
        kind: wanted.kind,
        secretBox: box ?? null,
      })
      await this.#told(tx, 'provider_created', provider, { kind: wanted.kind })
      return provider
    })
  }

  /** Changes what is given. Throws `not_found`, or `invalid_input` with the reason for each field. */
  async update(
    id: string,
    { secret, ...change }: ProviderChange,
  ): Promise<{ readonly provider: Provider; readonly changed: readonly string[] }> {
    return this.#deps.em.fork().transactional(async (tx) => {
      const provider = await locked(tx, id)
      const before = storedOf(provider)
      const given = Object.entries(change).filter(([, value]) => value !== undefined)
      const merged = { ...before, ...Object.fromEntries(given) }
      const settings = { ...before.settings, ...change.settings }
      const { mayName } = this.#deps
      const wanted = parseProvider({ ...merged, settings, id, kind: provider.kind }, mayName)
      await this.#refuseForeignDomains(tx, wanted)
      const after = { ...before, ...columnsOf(wanted) }
      const now = { ...after, issuer: after.issuer ?? undefined }
      const changed: string[] = FIELDS.filter(
        (field) => !isDeepStrictEqual(before[field], now[field]),
      )
      const box = secret === undefined ? undefined : this.#sealed(wanted, secret)
      if (box) changed.push('secret')
      if (changed.length === 0) return { provider, changed }
      tx.assign(provider, { ...columnsOf(wanted), ...(box ? { secretBox: box } : {}) })
      await this.#told(tx, 'provider_changed', provider, { what: 'updated', fields: changed })
      return { provider, changed }
    })
  }

  /** People who are on their way through it come to nothing as well. Throws `not_found`. */
  async setEnabled(id: string, isOn: boolean): Promise<void> {
    await this.#deps.em.fork().transactional(async (tx) => {
      const provider = await locked(tx, id)
      provider.disabledAt = isOn ? null : (provider.disabledAt ?? new Date())
      const what = isOn ? 'enabled' : 'disabled'
      await this.#told(tx, 'provider_changed', provider, { what })
    })
  }

  #sealed({ id, kind }: CheckedProvider, secret: string | undefined): Buffer | undefined {
    if (secret !== undefined)
      return this.#deps.box.seal(checkedSecret({ kind }, secret), secretContext(id))
    // Anybody's OpenID provider may know clients without a secret; those of a name give each one.
    if (kind !== 'oidc') throw refused({ secret: { code: 'required' } })
    return undefined
  }

  /** Whom an address belongs to must be one answer. */
  async #refuseForeignDomains(tx: EntityManager, { id, settings }: CheckedProvider): Promise<void> {
    if (!settings.enforceForDomains) return
    const others = await tx.find(Provider, { id: { $ne: id } })
    for (const other of others) {
      // One that cannot be read, such as another version's, enforces nothing here.
      const theirs = liveProvider(other).live?.settings
      if (!theirs?.enforceForDomains) continue
      const both = theirs.domains.filter((domain) => settings.domains.includes(domain))
      if (both.length > 0)
        throw refused({
          domains: { code: 'domain_enforced', values: { domains: both.join(', '), id: other.id } },
        })
    }
  }

  async #told(
    tx: EntityManager,
    type: AuditType,
    provider: Provider,
    detail: Readonly<Record<string, string | readonly string[]>>,
  ): Promise<void> {
    if (type === 'provider_changed') provider.version += 1
    const { id } = provider
    await announce(tx, { kind: 'provider', id })
    const said = { provider: id, ...detail, osUser: osUser() }
    await this.#deps.audit.append(tx, { type, actor: OPERATOR, detail: said })
  }
}

async function locked(tx: EntityManager, id: string): Promise<Provider> {
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE }
  const provider = await tx.findOne(Provider, { id }, lock)
  if (!provider) throw new AppError('not_found')
  return provider
}

function storedOf({ name, issuer, clientId, scopes, position, settings }: Provider) {
  return { name, issuer: issuer ?? undefined, clientId, scopes, position, settings }
}

function columnsOf({ name, issuer, clientId, scopes, position, settings }: CheckedProvider) {
  return {
    name,
    issuer: issuer ?? null,
    clientId,
    scopes,
    position,
    settings: { ...settings },
  }
}
