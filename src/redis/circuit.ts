import type { Servers } from './servers.ts'
import { RedisUnavailable, translate } from './unavailable.ts'

const PROBE_MS = 100
/** Probes in vain before the socket counts as half-open and is replaced. */
const PROBES_PER_SOCKET = 5

/**
 * Bounds every call. After one that hung, all others that need the same server are refused at once
 * until a PING of it comes back: a request that needs Redis several times waits once, and one shard
 * that hangs does not take the others along.
 */
export class Circuit {
  readonly #servers: Servers
  readonly #commandMs: number
  /** Names of servers that do not answer. */
  readonly #hanging = new Set<string>()
  #isStopped = false

  constructor(servers: Servers, commandMs: number) {
    this.#servers = servers
    this.#commandMs = commandMs
  }

  /** `call` is for the server that has `key`. */
  async run<T>(key: string, call: () => Promise<T>): Promise<T> {
    const name = this.#servers.nameFor(key)
    if (this.#hanging.has(name)) throw new RedisUnavailable('Redis does not answer')
    try {
      return await this.#bounded(call)
    } catch (error) {
      if (error === LATE) this.#open(name)
      throw error === LATE
        ? new RedisUnavailable('Redis does not answer in time')
        : translate(error)
    }
  }

  /** Whether any server answers: a Cluster serves calls that need nothing of those that do not. */
  async isAnswering(): Promise<boolean> {
    const asked = this.#servers
      .all()
      .filter((server) => !this.#hanging.has(this.#servers.nameOf(server)))
    return Promise.any(asked.map((server) => this.#bounded(() => server.ping()))).then(
      () => true,
      () => false,
    )
  }

  stop(): void {
    this.#isStopped = true
  }

  async #bounded<T>(call: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      // Timers come before sockets in a turn of the loop: after a busy stretch of ours the answer
      // may be there, unread.
      timer = setTimeout(() => setImmediate(() => setImmediate(reject, LATE)), this.#commandMs)
    })
    try {
      return await Promise.race([call(), late])
    } finally {
      clearTimeout(timer)
    }
  }

  #open(name: string): void {
    if (this.#hanging.has(name) || this.#isStopped) return
    this.#hanging.add(name)
    void this.#probe(name).finally(() => this.#hanging.delete(name))
  }

  /** Until the server answers, or another holds its keys. */
  async #probe(name: string): Promise<void> {
    for (let tries = 1; !this.#isStopped && this.#servers.holdsKeys(name); tries += 1) {
      const server = this.#servers.named(name)
      const hasAnswered = await this.#bounded(async () => server?.ping()).then(
        (answer) => answer !== undefined,
        () => false,
      )
      if (hasAnswered) return
      if (tries % PROBES_PER_SOCKET === 0 && server?.status === 'ready') server.disconnect(true)
      await new Promise((resolve) => setTimeout(resolve, PROBE_MS).unref())
    }
  }
}

const LATE = new Error('late')
