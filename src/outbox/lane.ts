import { jittered } from './backoff.ts'
import { Bell } from './bell.ts'
import { Breaker } from './breaker.ts'
import { Courier, type CourierDeps, LEASE_MARGIN_MS } from './courier.ts'
import { reasonOf } from './message.ts'
import { within } from './timing.ts'

export type LaneDeps = Omit<CourierDeps, 'breaker' | 'closing' | 'aborting'>

/**
 * The deliveries of one topic. Topics share neither slots nor pauses: a dead mail server delays no
 * logout.
 */
export class Lane {
  readonly #deps: LaneDeps
  readonly #bell = new Bell()
  readonly #breaker: Breaker
  readonly #courier: Courier
  readonly #inFlight = new Set<Promise<void>>()
  readonly #closing = new AbortController()
  readonly #aborting = new AbortController()
  #filling: Promise<unknown> = Promise.resolve()
  #loop: Promise<void> | undefined
  #isDatabaseDown = false

  constructor(deps: LaneDeps) {
    this.#deps = deps
    this.#breaker = new Breaker(deps.policy)
    this.#courier = new Courier({
      ...deps,
      breaker: this.#breaker,
      closing: this.#closing.signal,
      aborting: this.#aborting.signal,
    })
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  wake(): void {
    this.#bell.ring()
  }

  /** Tries everything that is due once, pause or not. Rejects when the database does not answer. */
  async drain(): Promise<void> {
    while ((await this.#fill(this.#deps.policy.concurrency)) > 0 || this.#inFlight.size > 0) {
      if (this.#inFlight.size > 0) await Promise.race(this.#inFlight)
    }
  }

  /**
   * Takes nothing new, lets attempts finish for the grace time, then aborts them and gives their
   * leases back.
   */
  async stop(): Promise<void> {
    const finished = async () => {
      await Promise.allSettled([this.#loop, this.#filling])
      await Promise.all(this.#inFlight)
    }
    this.#closing.abort()
    this.#bell.ring()
    await within(this.#deps.policy.graceMs, finished())
    this.#aborting.abort()
    await within(1000, finished())
  }

  async #run(): Promise<void> {
    const { policy } = this.#deps
    while (!this.#closing.signal.aborted) {
      const pauseMs = this.#breaker.remainingMs
      if (pauseMs > 0) await this.#bell.wait(pauseMs)
      else if (!(await this.#takeAll()))
        await this.#bell.wait(this.#isDatabaseDown ? jittered(policy.pollMs) : policy.pollMs)
    }
  }

  /** False when there is nothing to do before the next ring or poll. */
  async #takeAll(): Promise<boolean> {
    const { logger, topic, policy } = this.#deps
    const slots = this.#breaker.isClosed ? policy.concurrency : 1
    try {
      const taken = await this.#fill(slots)
      if (this.#isDatabaseDown) logger.info({ event: 'outbox.database_back', topic })
      this.#isDatabaseDown = false
      return taken >= slots
    } catch (error) {
      if (!this.#isDatabaseDown)
        logger.warn({ event: 'outbox.database_down', topic, reason: reasonOf(error) })
      this.#isDatabaseDown = true
      return false
    }
  }

  /**
   * Leases as many messages as there are free slots and starts them; one call at a time. Answers
   * how many.
   */
  #fill(slots: number): Promise<number> {
    const filled = this.#filling.then(
      () => this.#lease(slots),
      () => this.#lease(slots),
    )
    this.#filling = filled
    return filled
  }

  async #lease(slots: number): Promise<number> {
    const { store, topic, policy } = this.#deps
    const free = slots - this.#inFlight.size
    if (free <= 0 || this.#closing.signal.aborted) return 0
    const leased = await store.lease(topic, free, policy.timeoutMs + LEASE_MARGIN_MS)
    for (const message of leased) {
      const running = this.#courier.deliver(message).finally(() => {
        this.#inFlight.delete(running)
        this.#bell.ring()
      })
      this.#inFlight.add(running)
    }
    return leased.length
  }
}
