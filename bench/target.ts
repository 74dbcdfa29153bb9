import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { START_FLAGS } from './start-flags.ts'

/**
 * `koa`: the ceiling. `bare`: oidc-provider on a Map. `naive`: the same on Redis by the usual
 * adapter. `better-auth`: the peer, on PostgreSQL. `gatehouse`: all of it. The first and the last
 * on PostgreSQL, and with `redisUrl` on Redis too.
 */
export type TargetKind = 'koa' | 'bare' | 'naive' | 'better-auth' | 'gatehouse'
export type Minted = 'code' | 'refresh' | 'access' | 'session'

export interface TargetSettings {
  readonly kind: TargetKind
  /** Its name in the results; by default its kind and storage. */
  readonly label?: string
  readonly databaseUrl: string
  readonly redisUrl?: string | undefined
  /** Passwords are hashed at next to no cost: for what a sign-in costs beside its hash. */
  readonly hasCheapHash?: boolean
  /** Tokens are minted for this many accounts that `grow` has made, by turns. */
  readonly grownAccounts?: number
}

export interface Paths {
  readonly discovery: string
  readonly jwks: string
  readonly token: string
  readonly introspection: string
  readonly userinfo: string
}

/** Where oidc-provider has its endpoints, here and in Gatehouse. */
export const PATHS: Paths = {
  discovery: '/.well-known/openid-configuration',
  jwks: '/jwks',
  token: '/token',
  introspection: '/token/introspection',
  userinfo: '/userinfo',
}

export interface Facts {
  readonly port: number
  /** Addresses of those who sign in, all by the same password; none where nobody does. */
  readonly people: readonly string[]
  readonly password: string
  readonly resource: string
  readonly paths: Paths
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
  readonly settings: TargetSettings
  readonly label: string
  readonly facts: Facts
  readonly pid: number
  readonly readyMs: number
  readonly #child: ReturnType<typeof fork>
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0
  #turn = 0

  static async start(settings: TargetSettings): Promise<Target> {
    const began = performance.now()
    const child = fork(
      fileURLToPath(new URL('./server.ts', import.meta.url)),
      [JSON.stringify(settings)],
      {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        execArgv: [
          ...(settings.kind === 'gatehouse' ? START_FLAGS : []),
          '--expose-gc',
          '--disable-warning=ExperimentalWarning',
        ],
      },
    )
    const [facts] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => [undefined]),
    ])) as [Facts | undefined]
    if (!facts) throw new Error(`the target ${settings.kind} did not start`)
    return new Target(settings, child, facts, performance.now() - began)
  }

  private constructor(
    settings: TargetSettings,
    child: ReturnType<typeof fork>,
    facts: Facts,
    readyMs: number,
  ) {
    const { kind, redisUrl, label } = settings
    this.settings = settings
    this.label = label ?? (redisUrl && kind !== 'naive' ? `${kind} on Redis` : kind)
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

  get kind(): TargetKind {
    return this.settings.kind
  }

  /**
   * Who signs in next: people take turns, so that none of them has as many sessions as an account
   * may have, and one ends for another.
   */
  nextPerson(): string {
    const { people } = this.facts
    return people[this.#turn++ % people.length] ?? ''
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
