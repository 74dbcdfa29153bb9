import type { Redis } from 'ioredis'
import { createRedisStore } from '../../src/oidc/adapters/redis-store.ts'
import { openRedis, type RedisConnection, type RedisSettings } from '../../src/redis/redis.ts'
import type { StoreUnderTest } from './adapter-contract.ts'

/**
 * The contract's view of a Redis: every server of it is read by itself, so that it works on a
 * Cluster too.
 */
export class RedisStorages implements AsyncDisposable {
  readonly #settings: RedisSettings
  readonly #commandMs: number
  readonly #servers: () => Promise<readonly Redis[]>
  readonly #connections: RedisConnection[] = []

  /**
   * `servers` are all that hold data, straight, without Cluster or Sentinel. This is about meaning,
   * not deadlines: a thousand calls at once take long on a busy machine.
   */
  constructor(
    settings: RedisSettings,
    servers: () => Promise<readonly Redis[]>,
    { commandMs = 30_000 } = {},
  ) {
    this.#commandMs = commandMs
    this.#settings = settings
    this.#servers = servers
  }

  async make(): Promise<StoreUnderTest> {
    for (const server of await this.#servers()) await server.flushdb()
    for (const index of [0, 1])
      this.#connections[index] ??= await openRedis(this.#settings, { commandMs: this.#commandMs })
    let opened = 0
    return {
      open: ({ leewaySeconds = () => 10 } = {}) => {
        const redis = this.#connections[opened++ % 2]
        if (!redis) throw new Error('two connections are open')
        return createRedisStore({ redis, leewaySeconds })
      },
      age: async (seconds) => {
        for (const server of await this.#servers()) await age(server, seconds)
      },
      purge: async () => undefined,
      dump: async () => {
        const parts: string[] = []
        for (const server of await this.#servers()) parts.push(await dump(server))
        return parts.join('\n')
      },
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) await connection[Symbol.asyncDispose]()
    for (const server of await this.#servers()) server.disconnect()
  }
}

const keysOf = (server: Redis): Promise<string[]> => server.keys('*')

async function age(server: Redis, seconds: number): Promise<void> {
  for (const key of await keysOf(server)) {
    const left = await server.pttl(key)
    if (left >= 0 && left <= seconds * 1000) await server.del(key)
    else if (left >= 0) await server.pexpire(key, left - seconds * 1000)
    if ((await server.type(key)) !== 'hash') continue
    const consumedAt = await server.hget(key, 'c')
    if (consumedAt !== null) await server.hset(key, 'c', Number(consumedAt) - seconds * 1000)
  }
}

async function dump(server: Redis): Promise<string> {
  const lines: string[] = []
  for (const key of await keysOf(server)) {
    const isHash = (await server.type(key)) === 'hash'
    lines.push(
      key,
      JSON.stringify(isHash ? await server.hgetall(key) : await server.get(key)),
      String(await server.pttl(key)),
    )
  }
  return lines.join('\n')
}
