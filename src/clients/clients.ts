import type { AuditDetail, AuditSink } from '../audit/event.ts'
import { randomSecret } from '../crypto/token.ts'
import type { EntityManager } from '../database/database.ts'
import { within } from '../database/transaction.ts'
import { Client } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { announce } from '../feed/changes.ts'
import { type BuiltInClient, ensureClient } from './built-in.ts'
import type { ClientChange } from './client-change.ts'
import { type Deleted, deleteClient } from './client-deletion.ts'
import { applyChange, type OperatorDeps, otherLogo } from './client-update.ts'
import { type ChangeOptions, locked, lockName } from './locked.ts'
import type { Logos } from './logos.ts'
import { columnsOf, honouringFromNow, registrationOf } from './metadata.ts'
import { keepPicture } from './pictures.ts'
import { type NewClient, type PreparedClient, prepareClient } from './prepared-client.ts'
import { refused } from './reasons.ts'
import type { ClientInput, ClientRegistration } from './registration.ts'
import { replaceSecrets, usesSecret } from './secret.ts'
import { settled } from './settled.ts'

export type { BuiltInClient, ClientInput, NewClient }

export interface ClientsDeps extends OperatorDeps {
  readonly em: EntityManager
  readonly logos: Pick<Logos, 'fetch'>
  readonly audit: AuditSink
}

export interface Registration {
  readonly client: Client
  /** Told once, here; only its digest is kept (TK-07). Absent for clients that have none. */
  readonly secret?: string
}

/** The apps that may use this server. Each change is all or nothing, also as a part of `tx`. */
export class Clients {
  readonly #em: EntityManager
  readonly #deps: ClientsDeps

  constructor(deps: ClientsDeps) {
    this.#em = deps.em
    this.#deps = deps
  }

  /** Throws `invalid_input` with the reason for each field. */
  async create(input: NewClient, tx?: EntityManager): Promise<Registration> {
    return this.store(await this.prepare(input), tx)
  }

  /** Throws as `create` does. */
  prepare(input: NewClient): Promise<PreparedClient> {
    return prepareClient(input, this.#deps)
  }

  async store(prepared: PreparedClient, tx?: EntityManager): Promise<Registration> {
    const { named, id, wanted, logo } = prepared
    return within(this.#em, tx, async (em) => {
      if (named !== undefined) await lockName(em, id)
      if (named !== undefined && (await em.count(Client, { id })) > 0)
        throw refused({ id: { code: 'id_taken' } })
      const secret = usesSecret(wanted.authMethod) ? randomSecret() : undefined
      const { metadata, ...columns } = columnsOf(await settled(em, wanted, this.#deps))
      const client = em.create(Client, {
        id,
        ...columns,
        // What an earlier client of that name was given stays void.
        metadata: named === undefined ? metadata : honouringFromNow(metadata),
        secretDigest: null,
        logo: logo ? await keepPicture(em, logo) : null,
      })
      await replaceSecrets(em, client, secret)
      await announce(em, { kind: 'client', id })
      await this.#deps.audit.append(em, { type: 'client_registered', clientId: id })
      return secret ? { client, secret } : { client }
    })
  }

  /** Creates or replaces a client without a secret under a fixed id, such as the demo's. */
  async ensure(input: BuiltInClient): Promise<void> {
    await within(this.#em, undefined, (tx) => ensureClient(tx, input, this.#deps))
  }

  async list(): Promise<Client[]> {
    return this.#em.fork().findAll(Client, { orderBy: { createdAt: 'asc', id: 'asc' } })
  }

  /** Those that may use the account API only because they did before apps had to be registered for it. */
  async listKept(): Promise<Client[]> {
    return (await this.list()).filter(({ accountApi }) => accountApi === 'kept')
  }

  /** Throws `not_found`. */
  async get(
    id: string,
    em = this.#em.fork(),
  ): Promise<{ client: Client; registration: ClientRegistration }> {
    const client = await em.findOne(Client, { id })
    if (!client) throw new AppError('not_found')
    return { client, registration: registrationOf(client) }
  }

  /**
   * Changes what is given; `null` is as if it had never been said. A way to authenticate that needs
   * a secret brings one if there is none. Throws `not_found`, `conflict`, or `invalid_input` with
   * the reason for each field.
   */
  async update(
    id: string,
    change: ClientChange,
    { version, tx }: ChangeOptions = {},
  ): Promise<Registration & { readonly changed: readonly string[] }> {
    const { registration } = await this.get(id, tx)
    const logo = await this.#deps.logos.fetch(otherLogo(registration, change, this.#deps.mayName))
    return within(this.#em, tx, async (em) => {
      const client = await locked(em, id, version)
      const { changed, ...made } = await applyChange(em, client, change, { ...this.#deps, logo })
      if (changed.length > 0) await this.#changed(em, client, { what: 'updated', fields: changed })
      return { client, changed, ...made }
    })
  }

  /** What it holds ends at once, as with `disable`, and nothing of it stays. Throws `not_found`. */
  async delete(id: string, { version, tx }: ChangeOptions = {}): Promise<Deleted> {
    return within(this.#em, tx, async (em) => {
      const deleted = await deleteClient(em, await locked(em, id, version))
      await announce(em, { kind: 'client', id })
      const detail = { consents: deleted.consents }
      await this.#deps.audit.append(em, { type: 'client_deleted', clientId: id, detail })
      return deleted
    })
  }

  /**
   * From now on the client is unknown to every instance, and what it holds opens nothing; its
   * registration stays. Throws `not_found`.
   */
  async disable(id: string, options: ChangeOptions = {}): Promise<void> {
    await this.#change(id, options, 'disabled', (client) => {
      client.disabledAt ??= new Date()
    })
  }

  /**
   * What the client was given before it was disabled stays void: people sign in to it again. Throws
   * `not_found`.
   */
  async enable(id: string, options: ChangeOptions = {}): Promise<void> {
    await this.#change(id, options, 'enabled', (client) => {
      if (client.disabledAt) client.metadata = honouringFromNow(client.metadata)
      client.disabledAt = null
    })
  }

  /**
   * A new secret; the old one ends at once. Throws `not_found`, or `invalid_input` for a client
   * without a secret.
   */
  async rotateSecret(id: string, options: ChangeOptions = {}): Promise<string> {
    const secret = randomSecret()
    await this.#change(id, options, 'secret_rotated', async (client, em) => {
      if (!usesSecret(registrationOf(client).authMethod))
        throw refused({ id: { code: 'no_secret' } })
      await replaceSecrets(em, client, secret)
    })
    return secret
  }

  /**
   * From now on people may let the app manage their account, or not any more: what it holds for
   * that opens nothing then. Throws `not_found`.
   */
  async setAccountApi(id: string, isOn: boolean, options: ChangeOptions = {}): Promise<void> {
    await this.#change(id, options, isOn ? 'account_api_on' : 'account_api_off', (client) => {
      if (isOn && registrationOf(client).type === 'service')
        throw refused({ id: { code: 'service_account' } })
      client.accountApi = isOn ? 'on' : 'off'
    })
  }

  async #change(
    id: string,
    { version, tx }: ChangeOptions,
    what: string,
    change: (client: Client, em: EntityManager) => void | Promise<void>,
  ): Promise<void> {
    await within(this.#em, tx, async (em) => {
      const client = await locked(em, id, version)
      await change(client, em)
      await this.#changed(em, client, { what })
    })
  }

  async #changed(em: EntityManager, client: Client, detail: AuditDetail): Promise<void> {
    client.version += 1
    await announce(em, { kind: 'client', id: client.id })
    await this.#deps.audit.append(em, { type: 'client_changed', clientId: client.id, detail })
  }
}
