import { createHash } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import { StartupError } from '../errors.ts'
import type { Logger } from '../logger/logger.ts'
import { refuseUnfit } from './checks.ts'
import { Circuit } from './circuit.ts'
import { COMMAND_MS, clusterOptions, hostOf, isTls, redisOptions } from './options.ts'
import { serversOf } from './servers.ts'

export { RedisUnavailable } from './unavailable.ts'

/** How long a start waits for a Redis that is still coming up. */
const BOOT_MS = 60_000
/** It says what it waits for after this. */
const SILENT_MS = 1000
const POLL_MS = 100
/** Waiting does not mend it. */
const REFUSED_CREDENTIALS = 'it refuses the user name or password'

export interface RedisSettings {
  /** One server, or several for a Cluster. */
  readonly urls: readonly string[]
  /** `host:port`; the master's name is the path of the URL. */
  readonly sentinels: readonly string[]
}

/** A Lua script, sent by its SHA-1 once a server knows it. */
export interface Script {
  readonly lua: string
  readonly sha: string
}

export function script(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') }
}

/**
 * The one connection to Redis. Every call by key settles within 250 ms, with `RedisUnavailable`
 * when Redis cannot be used just now.
 */
export interface RedisConnection extends AsyncDisposable {
  /** Keys of one call must be in one slot. */
  readonly isCluster: boolean
  evaluate(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown>
  /** A command about one key. */
  run<T>(key: string, command: (client: Redis | Cluster, key: string) => Promise<T>): Promise<T>
  /** Each by itself: what is in all of them is not asked for by key. */
  servers(): readonly Redis[]
  isReady(): Promise<boolean>
}

export interface RedisOptions {
  readonly logger?: Logger
  readonly bootMs?: number
  /** Longest time for one call. */
  readonly commandMs?: number | undefined
}

/** Waits a bounded time for Redis; refuses one that would lose or refuse what is written. */
export async function openRedis(
  settings: RedisSettings,
  { logger, bootMs = BOOT_MS, commandMs = COMMAND_MS }: RedisOptions = {},
): Promise<RedisConnection> {
  // Without Redis its client is not loaded.
  const [clients, { default: slotOf }] = await Promise.all([
    import('ioredis'),
    import('cluster-key-slot'),
  ])
  const client = connect(clients, settings, commandMs)
  const servers = serversOf(client, slotOf)
  let lastError: unknown
  client.on('error', (error: unknown) => {
    lastError = error
  })
  const addresses = settings.urls.map(hostOf).join(', ')
  try {
    await untilReady(client, {
      deadline: Date.now() + bootMs,
      lastError: () => lastError,
      addresses,
      logger,
    })
    lastError = undefined
    await refuseUnfit(client, servers)
  } catch (cause) {
    client.disconnect()
    if (cause instanceof StartupError) throw cause
    throw new StartupError(
      `The Redis at ${addresses} cannot be used: ${reason(lastError ?? cause)}.`,
      { cause },
    )
  }
  const silence = logger && report(client, logger)
  const circuit = new Circuit(servers, commandMs)
  return {
    isCluster: client.isCluster,
    run: (key, command) => circuit.run(key, () => command(client, key)),
    evaluate: ({ lua, sha }, keys, args) =>
      circuit.run(keys[0] ?? '', async () => {
        try {
          return await client.evalsha(sha, keys.length, ...keys, ...args)
        } catch (error) {
          if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
          return client.eval(lua, keys.length, ...keys, ...args)
        }
      }),
    servers: () => servers.all(),
    isReady: () => circuit.isAnswering(),
    async [Symbol.asyncDispose]() {
      circuit.stop()
      silence?.()
      client.disconnect()
    },
  }
}

interface Clients {
  readonly Redis: typeof Redis
  readonly Cluster: typeof Cluster
}

function connect(
  clients: Clients,
  { urls, sentinels }: RedisSettings,
  commandMs: number,
): Redis | Cluster {
  const [first = ''] = urls
  if (urls.length > 1) {
    const nodes = urls.map((url) => ({
      host: new URL(url).hostname,
      port: Number(new URL(url).port || 6379),
    }))
    return new clients.Cluster(nodes, clusterOptions(first, commandMs))
  }
  if (sentinels.length === 0) return new clients.Redis(first, redisOptions(commandMs))
  const { pathname, hostname, username, password } = new URL(first)
  const addresses = sentinels.map((address) => {
    const at = address.lastIndexOf(':')
    return at < 0
      ? { host: address, port: 26_379 }
      : { host: address.slice(0, at), port: Number(address.slice(at + 1)) }
  })
  return new clients.Redis({
    ...redisOptions(commandMs),
    sentinels: addresses,
    name: decodeURIComponent(pathname.slice(1)) || hostname,
    failoverDetector: true,
    sentinelRetryStrategy: (times) => Math.min(times * 50, 500),
    ...(isTls(first) ? { tls: {}, enableTLSForSentinelMode: true } : {}),
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
  })
}

interface Waiting {
  readonly deadline: number
  /** What the connection failed for last, which says more than that a command did. */
  readonly lastError: () => unknown
  readonly addresses: string
  readonly logger: Logger | undefined
}

async function untilReady(
  client: Redis | Cluster,
  { deadline, lastError, addresses, logger }: Waiting,
): Promise<void> {
  const patient = Date.now() + SILENT_MS
  let isTold = false
  for (;;) {
    try {
      await client.ping()
      return
    } catch (error) {
      const why = reason(lastError() ?? error)
      if (Date.now() > deadline || why === REFUSED_CREDENTIALS) throw error
      if (!isTold && Date.now() > patient) {
        logger?.warn({ event: 'redis.awaited' }, `waiting for the Redis at ${addresses}: ${why}`)
        isTold = true
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }
}

/**
 * One line when Redis goes and one when it is back, not one for every retry. Returns what ends the
 * reports.
 */
function report(client: Redis | Cluster, logger: Logger): () => void {
  let isLost = false
  const lost = () => {
    if (!isLost)
      logger.warn(
        { event: 'redis.lost' },
        'Redis is lost; what needs it answers 503 until it is back',
      )
    isLost = true
  }
  client.on('close', lost)
  client.on('ready', () => {
    if (isLost) logger.warn({ event: 'redis.back' }, 'Redis is back')
    isLost = false
  })
  return () => void client.off('close', lost)
}

function reason(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  if (code === 'ENOTFOUND') return 'the host name does not resolve'
  if (message && /^(?:WRONGPASS|NOAUTH)/.test(message)) return REFUSED_CREDENTIALS
  return message || String(code ?? error)
}
