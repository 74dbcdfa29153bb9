import type { Cluster, Redis } from 'ioredis'
import { RedisUnavailable, translate } from './unavailable.ts'

const PROBE_MS = 100
/** Probes in vain before the socket counts as half-open and is replaced. */
const PROBES_PER_SOCKET = 5

type Call<T> = (client: Redis | Cluster) => Promise<T>

/**
 * Bounds every call. After one that hung, all others are refused at once until a PING comes back: a request that needs Redis
 * several times waits once. A Cluster has no such switch: one shard that hangs must not take the others along.
 */
export class Circuit {
  readonly #client: Redis | Cluster
  readonly #commandMs: number
  #isOpen = false
  #isStopped = false

  constructor(client: Redis | Cluster, commandMs: number) {
    this.#client = client
    this.#commandMs = commandMs
  }

  async run<T>(call: Call<T>): Promise<T> {
    if (this.#isOpen) throw new RedisUnavailable('Redis does not answer')
    try {
      return await this.#bounded(call)
    } catch (error) {
      if (error === LATE) this.#open()
      throw error === LATE ? new RedisUnavailable('Redis does not answer in time') : translate(error)
    }
  }

  stop(): void {
    this.#isStopped = true
  }

  async #bounded<T>(call: Call<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      // Timers come before sockets in a turn of the loop: after a busy stretch of ours the answer may be there, unread.
      timer = setTimeout(() => setImmediate(() => setImmediate(reject, LATE)), this.#commandMs)
    })
    try {
      return await Promise.race([call(this.#client), late])
    } finally {
      clearTimeout(timer)
    }
  }

  #open(): void {
    if (this.#isOpen || this.#isStopped || this.#client.isCluster) return
    this.#isOpen = true
    void this.#probe()
  }

  async #probe(): Promise<void> {
    for (let tries = 1; !this.#isStopped; tries += 1) {
      const hasAnswered = await this.#bounded((client) => client.ping()).then(
        () => true,
        () => false,
      )
      if (hasAnswered) break
      if (tries % PROBES_PER_SOCKET === 0 && this.#client.status === 'ready') this.#client.disconnect(true)
      await new Promise((resolve) => setTimeout(resolve, PROBE_MS).unref())
    }
    this.#isOpen = false
  }
}

const LATE = new Error('late')
