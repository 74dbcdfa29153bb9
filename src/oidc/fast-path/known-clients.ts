import type { Client, Provider } from 'oidc-provider'
import { usesSecret } from '../../clients/secret.ts'
import type { Adapter } from '../adapters/adapter.ts'
import { hasSecret, type NoteUse } from '../clients/secrets.ts'
import { isKnownClient } from './allow-list.ts'

/** HTTP Basic in its canonical spelling. */
const BASIC = /^Basic ((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/
/** Both parts form-encoded (RFC 6749 2.3.1). */
const CREDENTIALS = /^([!-9;-~]+):([!-~]+)$/
const DECODED = /^[ -~]+$/

/** Clients that say nothing but what the fast path knows; all others are unknown here. */
export class KnownClients {
  readonly #provider: Provider
  readonly #stored: Pick<Adapter, 'find'>
  /** By the metadata, which is the same object until it changes. */
  readonly #known = new WeakMap<object, Promise<Client | undefined>>()

  readonly #uses: NoteUse

  constructor(provider: Provider, stored: Pick<Adapter, 'find'>, uses: NoteUse) {
    this.#uses = uses
    this.#provider = provider
    this.#stored = stored
  }

  async find(id: string): Promise<Client | undefined> {
    const metadata = await this.#stored.find(id)
    if (!metadata) return undefined
    let client = this.#known.get(metadata)
    if (!client) {
      client = this.#load(id, metadata)
      this.#known.set(metadata, client)
      client.catch(() => this.#known.delete(metadata))
    }
    return client
  }

  /** By its secret in the header; one in the form is the engine's. */
  async authenticated(authorization: string): Promise<Client | undefined> {
    const [, encoded = ''] = BASIC.exec(authorization) ?? []
    const [, id, secret] = (
      CREDENTIALS.exec(Buffer.from(encoded, 'base64').toString('latin1')) ?? []
    ).map(formDecoded)
    const client = id === undefined ? undefined : await this.find(id)
    if (secret === undefined || !client || !usesSecret(client.clientAuthMethod ?? ''))
      return undefined
    return hasSecret(client, secret, this.#uses) ? client : undefined
  }

  /** What is registered, and what the engine adds to it. */
  async #load(id: string, metadata: object): Promise<Client | undefined> {
    if (!isKnownClient({ ...metadata })) return undefined
    const client = await this.#provider.Client.find(id)
    return client && isKnownClient({ ...client.metadata() }) ? client : undefined
  }
}

function formDecoded(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text.replaceAll('+', ' '))
    return DECODED.test(decoded) ? decoded : undefined
  } catch {
    return undefined
  }
}
