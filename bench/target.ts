import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** `koa`: the ceiling. `bare`: oidc-provider on a Map. `gatehouse`: all of it, on PostgreSQL, and on Redis if it is given. */
export type TargetKind = 'koa' | 'bare' | 'gatehouse'
export type Minted = 'code' | 'refresh' | 'access'

export interface TargetSettings {
  readonly kind: TargetKind
  readonly databaseUrl: string
  readonly redisUrl?: string | undefined
}

export interface Facts {
  readonly port: number
  readonly email: string
  readonly password: string
  readonly resource: string
  readonly apiClient: { readonly id: string; readonly secret: string }
}

export interface Usage {
  /** Microseconds of processor time of the whole process, all threads. */
  readonly cpu: number
  readonly rssMb: number
  readonly heapMb: number
  readonly hashPid: number | undefined
}

export type Command =
  | { readonly id: number; readonly ask: 'mint'; readonly what: Minted; readonly count: number }
  | { readonly id: number; readonly ask: 'usage'; readonly collect: boolean }
export interface Reply {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** A server in a process of its own. */
export class Target implements AsyncDisposable {
  readonly kind: TargetKind
  readonly storage: string
  readonly facts: Facts
  readonly pid: number
  readonly readyMs: number
  readonly #child: ReturnType<typeof fork>
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0

  static async start(settings: TargetSettings): Promise<Target> {
    const began = performance.now()
    const child = fork(fileURLToPath(new URL('./server.ts', import.meta.url)), [JSON.stringify(settings)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
    })
    const [facts] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [undefined])])) as [Facts | undefined]
    if (!facts) throw new Error(`the target ${settings.kind} did not start`)
    return new Target(settings, child, facts, performance.now() - began)
  }

  private constructor({ kind, redisUrl }: TargetSettings, child: ReturnType<typeof fork>, facts: Facts, readyMs: number) {
    this.kind = kind
    this.storage = kind === 'gatehouse' ? (redisUrl ? 'Redis' : 'PostgreSQL') : ''
    this.facts = facts
    this.pid = child.pid ?? 0
    this.readyMs = readyMs
    this.#child = child
    child.on('message', ({ id, value, error }: Reply) => {
      const asked = this.#asked.get(id)
      this.#asked.delete(id)
      if (error === undefined) asked?.resolve(value)
      else asked?.reject(new Error(error))
    })
  }

  /** Tokens that are as good as those of a sign-in, without one. */
  mint(what: Minted, count: number): Promise<string[]> {
    return this.#ask({ ask: 'mint', what, count }) as Promise<string[]>
  }

  usage({ collect = false } = {}): Promise<Usage> {
    return this.#ask({ ask: 'usage', collect }) as Promise<Usage>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.disconnect()
    await ended
  }

  #ask(command: Record<string, unknown>): Promise<unknown> {
    const asked = Promise.withResolvers<unknown>()
    const id = ++this.#lastId
    this.#asked.set(id, asked)
    this.#child.send({ ...command, id })
    return asked.promise
  }
}

/** All threads of a process on these cores; false where the system has no `taskset`. */
export function pin(pid: number, cores: string): boolean {
  try {
    execFileSync('taskset', ['-a', '-c', '-p', cores, String(pid)], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
