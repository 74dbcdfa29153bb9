import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { getCompileCacheDir } from 'node:module'
import { fileURLToPath } from 'node:url'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger/logger.ts'
import { type Argon2, type DigestParameters, HASH_SLOTS } from './argon2.ts'
import { argon2Build } from './argon2-build.ts'
import type { HashAnswer, HashRequest } from './hash-messages.ts'

export interface HashProcessOptions {
  readonly logger: Logger
  /** Hashes it computes at once; default `HASH_SLOTS`. */
  readonly slots?: number
  /** After this long without an answer it counts as hung and is killed; default 5000. */
  readonly timeoutMs?: number
  /** Folder of argon2 compiled for several processors; default that of the image. */
  readonly builds?: string
}

/** Without the requests' ids, which are given when they are sent. */
type Question = HashRequest extends infer R
  ? R extends HashRequest
    ? Omit<R, 'id'>
    : never
  : never

interface Job {
  readonly settle: (answer: HashAnswer) => void
  readonly abandon: () => void
  readonly timer: NodeJS.Timeout
}

const WORKER = fileURLToPath(new URL('./hash-worker.ts', import.meta.url))
/** The Dockerfile makes it. */
const BUILDS = fileURLToPath(new URL('../../native', import.meta.url))
/** A process that dies before it has answered anything is not started again at once. */
const PAUSE_MS = 1000

/**
 * argon2 in a child process of low priority, so that sign-ins take what other requests leave. It is
 * started when first needed and again when it is lost; a request that waited for it then gets
 * `unavailable`, never an outcome.
 */
export class HashProcess implements Argon2, AsyncDisposable {
  readonly #options: Required<HashProcessOptions>
  readonly #jobs = new Map<number, Job>()
  #child: ChildProcess | undefined
  #lastId = 0
  #hasAnswered = false
  #pausedUntil = 0
  #isLost = false
  #isEnded = false

  constructor(options: HashProcessOptions) {
    this.#options = { slots: HASH_SLOTS, timeoutMs: 5000, builds: BUILDS, ...options }
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** So that the first hash need not wait for it. */
  start(): void {
    if (this.#child || this.#isEnded || Date.now() < this.#pausedUntil) return
    try {
      this.#child = this.#fork()
    } catch (error) {
      this.#pausedUntil = Date.now() + PAUSE_MS
      this.#tellLost(error instanceof Error ? error.message : String(error))
    }
  }

  async digest(text: string, parameters: DigestParameters): Promise<Buffer> {
    const result = await this.#ask({ kind: 'digest', text, parameters })
    if (!(result instanceof Uint8Array)) throw new Error('the hash process answered no digest')
    return Buffer.from(result)
  }

  async matches(stored: string, text: string, secret?: Buffer): Promise<boolean> {
    const result = await this.#ask({ kind: 'matches', stored, text, secret })
    if (typeof result !== 'boolean') throw new Error('the hash process answered no verdict')
    return result
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true
    const child = this.#child
    if (!child?.pid) return
    const ended = once(child, 'exit')
    this.#lose(child)
    await ended
  }

  #ask(question: Question): Promise<HashAnswer['result']> {
    this.start()
    const child = this.#child
    if (!child) return Promise.reject(unavailable())
    const { promise, resolve, reject } = Promise.withResolvers<HashAnswer['result']>()
    const id = ++this.#lastId
    const { timeoutMs } = this.#options
    this.#jobs.set(id, {
      settle: ({ result, fault }) =>
        fault === undefined ? resolve(result) : reject(new Error(`argon2: ${fault}`)),
      abandon: () => reject(unavailable()),
      timer: setTimeout(() => this.#lose(child, `no answer within ${timeoutMs} ms`), timeoutMs),
    })
    child.send({ ...question, id }, (error) => error && this.#lose(child, error.message))
    return promise
  }

  #fork(): ChildProcess {
    const { slots, builds } = this.#options
    const [cache, build] = [getCompileCacheDir(), argon2Build(builds)]
    const child = fork(WORKER, {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: ['--max-semi-space-size=1', '--max-old-space-size=64'],
      env: {
        UV_THREADPOOL_SIZE: String(slots),
        ...(cache ? { NODE_COMPILE_CACHE: cache } : {}),
        ...(build ? { ARGON2_PREBUILD: build } : {}),
      },
    })
    // Without file descriptors or processes to spare there is no child, and Node says so later by
    // an event only.
    if (child.pid === undefined) {
      child.on('error', () => undefined)
      throw new Error('the system starts no process')
    }
    this.#hasAnswered = false
    child.on('message', (answer: HashAnswer) => this.#answered(answer))
    child.on('exit', (code, signal) => this.#lose(child, `ended with ${signal ?? code}`))
    child.on('error', (error) => this.#lose(child, error.message))
    // Idle it keeps nobody alive; a hash under way does, by its timer.
    child.unref()
    child.channel?.unref()
    return child
  }

  #answered(answer: HashAnswer): void {
    this.#hasAnswered = true
    if (this.#isLost)
      this.#options.logger.info({ event: 'hash_process.back' }, 'the hash process is back')
    this.#isLost = false
    const job = this.#jobs.get(answer.id)
    this.#jobs.delete(answer.id)
    clearTimeout(job?.timer)
    job?.settle(answer)
  }

  #lose(child: ChildProcess, reason?: string): void {
    child.kill('SIGKILL')
    if (this.#child !== child) return
    this.#child = undefined
    if (!this.#hasAnswered) this.#pausedUntil = Date.now() + PAUSE_MS
    if (reason && !this.#isEnded) this.#tellLost(reason)
    for (const job of this.#jobs.values()) {
      clearTimeout(job.timer)
      job.abandon()
    }
    this.#jobs.clear()
  }

  /** Once, until it answers again. */
  #tellLost(reason: string): void {
    if (!this.#isLost)
      this.#options.logger.error({ event: 'hash_process.lost', reason }, 'the hash process is lost')
    this.#isLost = true
  }
}

/** Even a machine a hundred times slower than a common one has answered by then. */
export function patienceMs({
  memoryKib,
  passes,
}: {
  readonly memoryKib: number
  readonly passes: number
}): number {
  return 5000 + (memoryKib * passes) / 20
}

function unavailable(): AppError {
  return new AppError('unavailable', { retryAfterSeconds: 1 })
}
