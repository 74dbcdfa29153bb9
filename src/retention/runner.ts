import { randomInt } from 'node:crypto'
import { ADVISORY_LOCKS } from '../config/advisory-locks.ts'
import type { Pool } from '../database/database.ts'
import type { Logger } from '../logger/logger.ts'
import type { Job } from './jobs.ts'

export interface JobRunnerDeps {
  readonly pool: Pool
  readonly jobs: readonly Job[]
  readonly logger: Logger
  readonly pace?: Pace
}

export interface Pace {
  /** From the end of one run to the start of the next, give or take a quarter. */
  readonly intervalMs: number
  /** Held by the one instance that is at it. */
  readonly lock: string
}

const USUAL: Pace = { intervalMs: 300_000, lock: ADVISORY_LOCKS.retention }
/** For what has to be gone within a minute. */
export const SOON: Pace = { intervalMs: 30_000, lock: ADVISORY_LOCKS.shortLived }
/** While there is more to do than a run does: more must go than comes. */
const BEHIND_MS = 1000

/** Runs the jobs one after the other, again and again; of all instances one at a time. */
export class JobRunner implements AsyncDisposable {
  readonly #deps: JobRunnerDeps
  readonly #pace: Pace
  #timer: NodeJS.Timeout | undefined
  #running: Promise<unknown> = Promise.resolve()
  #isStopped = false
  #isBehind = false

  constructor(deps: JobRunnerDeps) {
    this.#deps = deps
    this.#pace = deps.pace ?? USUAL
  }

  /** Between two runs. */
  get longestPauseMs(): number {
    return this.#pace.intervalMs * 1.25
  }

  start(): void {
    if (!this.#timer) this.#schedule()
  }

  /**
   * Everything once, now. Answers how many rows each job was about, or undefined when another
   * instance is at it.
   */
  async runOnce(): Promise<Readonly<Record<string, number>> | undefined> {
    this.#isBehind = false
    const holder = await this.#deps.pool.connect()
    let isOver = false
    try {
      // The lock of a transaction: a pooler may give the next one to another session.
      await holder.query('begin')
      const { rows } = await holder.query<{ isMine: boolean }>(
        'select pg_try_advisory_xact_lock($1) as "isMine"',
        [this.#pace.lock],
      )
      const done = rows[0]?.isMine ? await this.#runAll() : undefined
      await holder.query('commit')
      isOver = true
      return done
    } finally {
      // A connection that may still hold the lock is closed: that gives it back.
      holder.release(!isOver)
    }
  }

  /** The job under way is finished, no other begins. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  async #runAll(): Promise<Record<string, number>> {
    const done: Record<string, number> = {}
    for (const { name, most, run } of this.#deps.jobs) {
      if (this.#isStopped) break
      try {
        done[name] = await run()
        if (done[name] >= most) this.#isBehind = true
      } catch (err) {
        this.#deps.logger.error(
          { event: 'job.failed', job: name, err },
          'a retention job failed; it is tried again',
        )
      }
    }
    const deleted = Object.fromEntries(Object.entries(done).filter(([, count]) => count > 0))
    if (Object.keys(deleted).length > 0)
      this.#deps.logger.info({ event: 'job.done', deleted }, 'what had expired is deleted')
    return done
  }

  #schedule(): void {
    const { logger } = this.#deps
    this.#timer = setTimeout(
      () => {
        this.#running = this.runOnce()
          .catch((err: unknown) =>
            logger.warn({ event: 'job.unavailable', err }, 'retention jobs cannot run now'),
          )
          .finally(() => {
            if (!this.#isStopped) this.#schedule()
          })
      },
      this.#isBehind ? BEHIND_MS : this.#pace.intervalMs * (0.75 + randomInt(0, 501) / 1000),
    ).unref()
  }
}
