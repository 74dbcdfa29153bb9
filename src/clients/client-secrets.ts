import type { AuditSink } from '../audit/event.ts'
import { MAX_CLIENT_SECRET_DAYS, MAX_CLIENT_SECRETS } from '../config/limits.ts'
import { randomSecret } from '../crypto/token.ts'
import type { EntityManager } from '../database/database.ts'
import { within } from '../database/transaction.ts'
import { Client, ClientSecret } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { announce } from '../feed/changes.ts'
import { displayName } from './display-name.ts'
import { type ChangeOptions, locked } from './locked.ts'
import { registrationOf } from './metadata.ts'
import { refused } from './reasons.ts'
import { digestOf, knownSecrets, newestFirst, usesSecret } from './secret.ts'

export interface NewSecret {
  /** For the operator to know it by. */
  readonly label?: string | undefined
  readonly expiresAt?: Date | undefined
}

/** Secrets of clients that are to change without a break: the new one is added before the old one goes. */
export class ClientSecrets {
  readonly #em: EntityManager
  readonly #audit: AuditSink

  constructor({ em, audit }: { em: EntityManager; audit: AuditSink }) {
    this.#em = em
    this.#audit = audit
  }

  /** Newest first, expired ones too. Throws `not_found`. */
  async list(clientId: string): Promise<ClientSecret[]> {
    const em = this.#em.fork()
    const client = await em.findOne(Client, { id: clientId })
    if (!client) throw new AppError('not_found')
    return newestFirst(await knownSecrets(em, client))
  }

  /**
   * One more secret, told here and never again; those that have expired make room. Throws
   * `not_found`, or `invalid_input`.
   */
  async add(
    clientId: string,
    { label, expiresAt }: NewSecret = {},
    options: ChangeOptions = {},
  ): Promise<{ readonly id: string; readonly secret: string }> {
    if (label !== undefined && !displayName.safeParse(label).success)
      throw refused({ label: { code: 'bad_label' } })
    if (expiresAt && !isInReach(expiresAt))
      throw refused({ expiresAt: { code: 'bad_days', values: { max: MAX_CLIENT_SECRET_DAYS } } })
    const secret = randomSecret()
    return this.#change(clientId, 'secret_added', options, async (em, client, secrets) => {
      if (!usesSecret(registrationOf(client).authMethod))
        throw refused({ id: { code: 'no_secret' } })
      const live = secrets.filter(isLive)
      if (live.length >= MAX_CLIENT_SECRETS)
        throw refused({ id: { code: 'too_many_secrets', values: { max: MAX_CLIENT_SECRETS } } })
      em.remove(secrets.filter((each) => !isLive(each)))
      const digest = digestOf(secret)
      const added = em.create(ClientSecret, {
        client,
        digest,
        label: label ?? null,
        expiresAt: expiresAt ?? null,
        lastUsedAt: null,
      })
      client.secretDigest = digest
      await em.flush()
      return { id: added.id, secret }
    })
  }

  /** It opens nothing from now on. Throws `not_found`, or `invalid_input` for the last one. */
  async remove(clientId: string, secretId: string, options: ChangeOptions = {}): Promise<void> {
    await this.#change(clientId, 'secret_removed', options, async (em, client, secrets) => {
      const removed = secrets.find(({ id }) => id === secretId)
      if (!removed) throw refused({ secret: { code: 'unknown_secret' } })
      const rest = newestFirst(secrets.filter((each) => each !== removed))
      if (isLive(removed) && !rest.some(isLive)) throw refused({ secret: { code: 'last_secret' } })
      em.remove(removed)
      client.secretDigest = rest[0]?.digest ?? null
      await em.flush()
    })
  }

  async #change<T>(
    clientId: string,
    what: string,
    { version, tx }: ChangeOptions,
    work: (em: EntityManager, client: Client, secrets: ClientSecret[]) => Promise<T>,
  ): Promise<T> {
    return within(this.#em, tx, async (em) => {
      const client = await locked(em, clientId, version)
      const result = await work(em, client, await knownSecrets(em, client))
      client.version += 1
      await announce(em, { kind: 'client', id: clientId })
      await this.#audit.append(em, { type: 'client_changed', clientId, detail: { what } })
      return result
    })
  }
}

/** Not for a date that is none. */
function isInReach(at: Date): boolean {
  const days = (at.getTime() - Date.now()) / 86_400_000
  return days > 0 && days <= MAX_CLIENT_SECRET_DAYS
}

function isLive({ expiresAt }: ClientSecret): boolean {
  return !expiresAt || expiresAt.getTime() > Date.now()
}
