import { createHash } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import { StartupError } from '../errors.ts'
import type { Logger } from '../logger/logger.ts'
import { refuseUnfit } from './checks.ts'
import { Circuit } from './circuit.ts'
import { connect, type RedisSettings } from './connect.ts'
import { COMMAND_MS, hostOf } from './options.ts'
import { serversOf } from './servers.ts'
import { reason, untilReady } from './until-ready.ts'

export type { RedisSettings } from './connect.ts'
export { RedisUnavailable } from './unavailable.ts'

/** How long a start waits for a Redis that is still coming up. */
const BOOT_MS = 60_000
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
