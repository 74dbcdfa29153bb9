import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from '../../src/embedded/free-port.ts'
import { COMPILE_CACHE } from '../support/compile-cache.ts'
import { send } from '../support/http.ts'
import { type SmtpServer, startSmtpServer } from '../support/smtp-server.ts'
import { type AppsServer, startApps } from './apps.ts'
import { APPS_PORT } from './apps-host.ts'
import { PROJECT } from './previous.ts'

const NETWORK = pathToFileURL(join(PROJECT, 'test/upgrade/network.ts')).href
const START_MS = 60_000
const run = promisify(execFile)

export type Environment = Readonly<Record<string, string>>

/** Code that is run, as an operator runs it, with a mail server and receivers of notices of its own. */
export class Instance implements AsyncDisposable {
  readonly root: string
  readonly smtp: SmtpServer
  readonly apps: AppsServer
  readonly #env: Environment
  #process: ChildProcess | undefined
  #port = 0
  /** What it wrote: warnings and faults. */
  log = ''

  static async prepare(root: string, env: Environment): Promise<Instance> {
    return new Instance(root, env, await startSmtpServer(), await startApps())
  }

  private constructor(root: string, env: Environment, smtp: SmtpServer, apps: AppsServer) {
    this.root = root
    this.smtp = smtp
    this.apps = apps
    this.#env = {
      ...COMPILE_CACHE,
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
      LOG_LEVEL: 'warn',
      ...env,
      [APPS_PORT]: String(apps.port),
    }
  }

  get address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.#port }
  }

  /** One of its commands; answers what it says as JSON. */
  async command<T>(...words: string[]): Promise<T> {
    const { stdout } = await run(process.execPath, ['src/cli.ts', ...words, '--json'], {
      cwd: this.root,
      env: this.#env,
    })
    return JSON.parse(stdout) as T
  }

  /** Resolves once it says that it is ready to serve. */
  async start(): Promise<void> {
    this.#port = await freePort()
    const child = spawn(process.execPath, ['--import', NETWORK, 'src/cli.ts', 'start'], {
      cwd: this.root,
      env: { ...this.#env, PORT: String(this.#port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process = child
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.log += chunk.toString('utf8')
      })
    for (const until = Date.now() + START_MS; !(await this.#isReady()); await sleep(50))
      if (child.exitCode !== null || Date.now() > until)
        throw new Error(`${this.root} does not start:\n${this.log}`)
  }

  /** As an operator stops it; what is under way is finished. */
  async stop(): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    await gone
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await this.smtp[Symbol.asyncDispose]()
    await this.apps[Symbol.asyncDispose]()
  }

  async #isReady(): Promise<boolean> {
    const url = `http://localhost:${this.#port}/health/ready`
    return send(url, { connect: this.address }).then(
      ({ status }) => status === 200,
      () => false,
    )
  }
}
