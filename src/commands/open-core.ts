import type { Config } from '../config/config.ts'
import { readEnv } from '../config/env.ts'
import { type Core, createCore } from '../core.ts'
import { createLogger } from '../logger/logger.ts'
import { prepare } from '../prepare.ts'
import { expectServersSchema, placed } from './place.ts'

/**
 * The use cases for one command, on the same storages that the server uses; disposing it leaves a
 * running server alone. Stdout is the command's own.
 */
export function openCore(): Promise<Core> {
  return open((config) => config)
}

/**
 * For what lives in PostgreSQL: an app must be shut out and a leaked key replaced also while Redis
 * is away.
 */
export function openDatabaseCore(): Promise<Core> {
  return open((config) => ({ ...config, redis: undefined }))
}

async function open(adjust: (config: Config) => Config): Promise<Core> {
  await using resources = new AsyncDisposableStack()
  const { config, database } = await prepare(placed(readEnv()), resources)
  await expectServersSchema(database)
  const core = resources.use(
    await createCore(adjust(config), { database, logger: createLogger('warn', process.stderr) }),
  )
  // Before anything is written: what is sealed under other keys than the server's, nobody opens.
  await core.keys.ensure()
  await core.keys.load()
  const owned = resources.move()
  return { ...core, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
