import type { Adapter, AdapterPayload } from 'oidc-provider'

const stored = new Map<string, AdapterPayload>()

/**
 * The cheapest storage there is: oidc-provider's own memory adapter is an LRU of a thousand entries
 * with a slow index.
 */
export class MapAdapter implements Adapter {
  readonly #model: string

  constructor(model: string) {
    this.#model = model
  }

  async upsert(id: string, payload: AdapterPayload): Promise<void> {
    stored.set(this.#key(id), payload)
    if (payload.uid) stored.set(`uid:${payload.uid}`, payload)
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return stored.get(this.#key(id))
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return stored.get(`uid:${uid}`)
  }

  async findByUserCode(): Promise<undefined> {
    return undefined
  }

  async consume(id: string): Promise<void> {
    const payload = stored.get(this.#key(id))
    if (payload) stored.set(this.#key(id), { ...payload, consumed: Math.floor(Date.now() / 1000) })
  }

  async destroy(id: string): Promise<void> {
    stored.delete(this.#key(id))
  }

  async revokeByGrantId(): Promise<void> {
    throw new Error('nothing is revoked here')
  }

  #key(id: string): string {
    return `${this.#model}:${id}`
  }
}
