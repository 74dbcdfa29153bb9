import { Redis } from 'ioredis'
import type { Adapter, AdapterPayload } from 'oidc-provider'

const CONSUMED = new Set(['AuthorizationCode', 'RefreshToken'])
const OF_A_GRANT = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken'])

/**
 * The shape in which Redis is usually put under oidc-provider (G7): a transaction for each write,
 * hashes, a list of keys for each grant.
 */
export function naiveAdapters(url: string): (model: string) => Adapter {
  const redis = new Redis(url)
  return (model) => new NaiveAdapter(redis, model)
}

class NaiveAdapter implements Adapter {
  readonly #redis: Redis
  readonly #model: string

  constructor(redis: Redis, model: string) {
    this.#redis = redis
    this.#model = model
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    const key = this.#key(id)
    const transaction = this.#redis.multi()
    if (CONSUMED.has(this.#model)) transaction.hmset(key, { payload: JSON.stringify(payload) })
    else transaction.set(key, JSON.stringify(payload))
    if (expiresIn) transaction.expire(key, expiresIn)
    if (OF_A_GRANT.has(this.#model) && payload.grantId) {
      const list = `grant:${payload.grantId}`
      transaction.rpush(list, key)
      if (expiresIn > (await this.#redis.ttl(list))) transaction.expire(list, expiresIn)
    }
    if (payload.uid) transaction.set(`uid:${payload.uid}`, id, 'EX', expiresIn)
    await transaction.exec()
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const key = this.#key(id)
    if (!CONSUMED.has(this.#model)) return parsed(await this.#redis.get(key))
    const { payload, ...more } = await this.#redis.hgetall(key)
    return payload ? { ...more, ...parsed(payload) } : undefined
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    const id = await this.#redis.get(`uid:${uid}`)
    return id ? this.find(id) : undefined
  }

  async findByUserCode(): Promise<undefined> {
    return undefined
  }

  async consume(id: string): Promise<void> {
    await this.#redis.hset(this.#key(id), 'consumed', Math.floor(Date.now() / 1000))
  }

  async destroy(id: string): Promise<void> {
    await this.#redis.del(this.#key(id))
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    const list = `grant:${grantId}`
    await this.#redis.del(list, ...(await this.#redis.lrange(list, 0, -1)))
  }

  #key(id: string): string {
    return `${this.#model}:${id}`
  }
}

function parsed(text: string | null): AdapterPayload | undefined {
  return text ? (JSON.parse(text) as AdapterPayload) : undefined
}
