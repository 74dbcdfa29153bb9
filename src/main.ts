import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { announce, warnOfKeptClients } from './announce.ts'
import { createApp } from './app.ts'
import type { Config } from './config/config.ts'
import { type Env, readEnv } from './config/env.ts'
import { productVersion } from './config/version.ts'
import { createContext } from './context.ts'
import { deriveMacKey, hmac } from './crypto/token.ts'
import { StartupError } from './errors.ts'
import { createHttpServer } from './http/http-server.ts'
import { createLogger, say } from './logger/logger.ts'
import { aborted, untilAborted } from './patience.ts'
import { prepare } from './prepare.ts'
import { seedDemoAccount, seedDemoApp } from './seed.ts'

/** How long requests in flight may take to finish after SIGTERM. */
const DRAIN_MS = 25_000
const SAME_SIGNAL_MS = 1000
/** How long a start waits for PostgreSQL. */
const START_MS = 60_000
/** How long a start that was stopped may take to let go. */
const GIVEN_UP_MS = 2000
/** When the cold start is over and the first requests were answered. */
const SETTLED_MS = 250
/**
 * How long production goes on accepting after SIGTERM: a balancer sees readiness fail, and every
 * answer ends its connection.
 */
const LINGER_MS = 6000

/** Starts the server as the environment says, and runs until it is told to stop. */
export async function start(env: Env = readEnv()): Promise<void> {
  const stop = stopSignal()
  await using resources = new AsyncDisposableStack()
  try {
    await serve(env, resources, stop)
  } catch (error) {
    if (!stop.aborted) throw error
    // It stopped while it waited; what it waited for may hold a connection that does not end.
    setTimeout(() => process.exit(), GIVEN_UP_MS).unref()
  }
}

async function serve(env: Env, resources: AsyncDisposableStack, stop: AbortSignal): Promise<void> {
  const tell = (what: string, why: string) => say(`Waiting for ${what}: ${why}\n`)
  const { config, database } = await prepare(env, resources, { ms: START_MS, signal: stop, tell })
  await untilAborted(database.migrate(), stop)
  const made = createContext(config, { database, logger: createLogger(config.logLevel) })
  const context = resources.use(await untilAborted(made, stop))
  context.hashProcess?.start()
  if (!config.production) await seedDemoApp(context)

  let isStopping = false
  const handle = createApp(context, { isStopping: () => isStopping }).callback()
  const server = createHttpServer(context, (req, res) => {
    // Not a header: Koa removes those from errors.
    if (isStopping) res.shouldKeepAlive = false
    void handle(req, res)
  })
  await listen(server, config)
  resources.defer(() => close(server))
  context.worker.start()
  context.readiness.start()
  context.keyWatch.start()
  context.jobs.start()
  context.answerJobs.start()
  await warnOfKeptClients(context)
  await context.logos.queueMissing()
  context.audit.record({ type: 'server_started', detail: describe(config) })
  keepSane(context.logger)
  // Its password is shown once: nothing that stops a start may come between making and showing it.
  announce(config, config.production ? undefined : await seedDemoAccount(context))
  setTimeout(dropGarbageOfStart, SETTLED_MS).unref()
  await aborted(stop)
  isStopping = true
  if (config.production) await sleep(LINGER_MS)
}

/**
 * Enough to see later what ran and when its settings changed; a keyed digest, as a setting may be a
 * secret.
 */
function describe(config: Config): { version: string; node: string; settings: string } {
  const { database: _url, secrets, ...settings } = config
  const key = deriveMacKey(secrets.keyEncryptionKeys.at(-1) ?? '', 'audit settings')
  const digest = hmac(key, JSON.stringify(settings)).toString('base64url').slice(0, 22)
  return { version: productVersion(), node: process.version, settings: digest }
}

/** One forced collection takes a tenth of a second and gives back a fifth of the memory. Only under `--expose-gc`, as `npm start` has it. */
function dropGarbageOfStart(): void {
  void globalThis.gc?.({ type: 'major', execution: 'async', flavor: 'last-resort' })
}

function listen(server: Server, { port, host }: Config): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reasons: Record<string, string> = {
        EADDRINUSE: `Port ${port} is in use. Stop the other program, or set PORT to another one.`,
        EACCES: `Port ${port} needs privileges that this user lacks. Set PORT to one above 1023.`,
        EADDRNOTAVAIL: `This machine has no address ${host}. Set HOST to one that it has.`,
      }
      reject(
        new StartupError(
          reasons[error.code ?? ''] ??
            `Cannot listen on port ${port} of ${host ?? 'this machine'}: ${error.message}`,
          {
            cause: error,
          },
        ),
      )
    })
    server.listen(port, host, () => resolve(server.address() as AddressInfo))
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), DRAIN_MS)
    server.close(() => {
      clearTimeout(force)
      resolve()
    })
    server.closeIdleConnections()
  })
}

/**
 * The first signal drains, a second one ends at once. What follows within `SAME_SIGNAL_MS` is the
 * first one again: a supervisor signals the whole group, and the launcher passes its own copy on.
 */
function stopSignal(): AbortSignal {
  const controller = new AbortController()
  let first: number | undefined
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      first ??= performance.now()
      if (performance.now() - first > SAME_SIGNAL_MS) process.exit(130)
      controller.abort()
    })
  return controller.signal
}

/**
 * A rejection that nobody handled is logged and survived; what it broke has answered with an error
 * already (LG-06).
 */
function keepSane(logger: ReturnType<typeof createLogger>): void {
  process.on('unhandledRejection', (error) => logger.error({ err: error }, 'unhandled rejection'))
}
