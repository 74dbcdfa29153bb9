import type { Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createApp } from '../../src/app.ts'
import { buildConfig, type Config } from '../../src/config/config.ts'
import { EnvSchema } from '../../src/config/env.ts'
import { type Context, type ContextOptions, createContext } from '../../src/context.ts'
import { createHttpServer } from '../../src/http/http-server.ts'
import { createLogger, type Logger } from '../../src/logger/logger.ts'
import { createDatabase } from './database.ts'
import { Inbox } from './inbox.ts'
import type { TestRedis } from './redis.ts'
import { TEST_SECRETS } from './secrets.ts'
import { type StorageName, startStorage } from './storages.ts'

export interface ServerOptions {
  /** Shared with another server; without it the server has a database of its own, dropped when it stops. */
  readonly database?: { readonly url: string }
  /** The address in front, if it is not the server's own (a balancer). */
  readonly issuer?: string
  readonly config?: Partial<Config>
  /** Beside the default: what the operator says of signing in. */
  readonly signIn?: Partial<Config['signIn']>
  /** Where grants live; a Redis of its own ends with the server. Default PostgreSQL. */
  readonly storage?: StorageName
  readonly logger?: Logger
  /** Default `here`: a process of its own for every test server would be slow to start. */
  readonly hashing?: 'apart' | 'here'
  /** What requests to clients' servers may reach; default: the public internet only, as in production. */
  readonly outgoing?: ContextOptions['outgoing']
  /** Default: with a Redis of its own patient, for a busy machine; else as in production. */
  readonly redisCommandMs?: number
}

/** A machine that is stopped for a moment answers late, which is a fault only where deadlines are tested. */
export const PATIENT_MS = 15_000

export interface TestServer extends AsyncDisposable {
  /** The issuer: what clients and browsers call. */
  readonly origin: string
  /** Where it really listens; pass it as `connect` to speak to it as another host. */
  readonly address: { readonly host: string; readonly port: number }
  readonly config: Config
  /** Its own, if it has one. */
  readonly redis: TestRedis | undefined
  readonly context: Context
  readonly inbox: Inbox
  stop(): Promise<void>
}

export { TEST_SECRETS }

/** The whole product on a random port of loopback: only the argon2 cost and the log are below production. */
export async function startServer({
  database,
  issuer,
  config: overrides,
  signIn,
  storage,
  logger = createLogger('silent'),
  hashing = 'here',
  outgoing,
  redisCommandMs = storage === 'Redis' ? PATIENT_MS : undefined,
}: ServerOptions = {}): Promise<TestServer> {
  await using undo = new AsyncDisposableStack()
  const own = database ? undefined : await createDatabase()
  if (own) undo.defer(() => own.drop())
  const { redis, config: stored } = undo.use(await startStorage(storage))
  const http = createHttpServer({ logger })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  undo.defer(() => close(http))
  const { port } = http.address() as AddressInfo

  const defaults = testConfig({
    databaseUrl: database?.url ?? own?.url ?? '',
    port,
    ...(issuer ? { issuer } : {}),
  })
  const config: Config = {
    ...defaults,
    ...stored,
    signIn: { ...defaults.signIn, ...signIn },
    ...overrides,
  }
  const context = undo.use(
    await createContext(config, {
      logger,
      hashing,
      redisCommandMs,
      ...(outgoing ? { outgoing } : {}),
    }),
  )
  const handle = createApp(context).callback()
  http.on('request', (request, response) => void handle(request, response))
  context.worker.start()

  const owned = undo.move()
  const stop = () => owned.disposeAsync()
  const address = { host: '127.0.0.1', port }
  return {
    origin: config.issuer,
    address,
    config,
    redis,
    context,
    inbox: new Inbox({ address, origin: config.issuer }),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

export function testConfig({
  databaseUrl,
  port,
  issuer,
}: {
  databaseUrl: string
  port: number
  issuer?: string
}): Config {
  const at = issuer ? { ISSUER: issuer, DEV_INBOX: 'true' } : { ISSUER: `http://localhost:${port}` }
  const env = EnvSchema.parse({ NODE_ENV: 'test', PORT: port, ...at, LOG_LEVEL: 'silent' })
  const config = buildConfig(env, { databaseUrl, embedded: false, secrets: TEST_SECRETS })
  return { ...config, argon2: { ...config.argon2, memoryKib: 1024, passes: 2 } }
}

async function close(http: HttpServer): Promise<void> {
  const closed = new Promise((resolve) => http.close(resolve))
  http.closeAllConnections()
  await closed
}
