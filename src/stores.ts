import type { Config } from './config/config.ts'
import type { Pool } from './database/database.ts'
import type { Announcements } from './feed/announcements.ts'
import type { Logger } from './logger/logger.ts'
import { createPostgresStore } from './oidc/adapters/postgres-store.ts'
import { createRedisStore, withUsesIn } from './oidc/adapters/redis-store.ts'
import { ClientDirectory } from './oidc/clients/directory.ts'
import { openRedis } from './redis/redis.ts'

export interface StorageDeps {
  readonly config: Config
  readonly pool: Pool
  readonly announcements: Announcements
  readonly logger: Logger
  readonly redisCommandMs: number | undefined
}

export type Storage = Awaited<ReturnType<typeof openStorage>>

/** Where the provider's models live: clients in memory, artifacts in Redis if there is one. */
export async function openStorage(deps: StorageDeps) {
  const { config, pool, announcements, logger, redisCommandMs: commandMs } = deps
  await using undo = new AsyncDisposableStack()
  const directory = await ClientDirectory.open({ pool, announcements })
  const redis = config.redis && undo.use(await openRedis(config.redis, { logger, commandMs }))
  const leewaySeconds = (clientId: string): number =>
    directory.leewaySeconds(clientId, config.refreshLeewaySeconds)
  const artifacts = { overrides: { Client: directory.adapter }, leewaySeconds }
  const inPostgres = undo.use(createPostgresStore({ pool, ...artifacts }))
  const store = redis
    ? undo.use(createRedisStore({ redis, ...withUsesIn(inPostgres, artifacts) }))
    : inPostgres
  const owned = undo.move()
  return {
    directory,
    redis,
    store,
    leewaySeconds,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
