import type { Config } from '../config/config.ts'
import { readEnv } from '../config/env.ts'
import { type Context, createContext } from '../context.ts'
import { createLogger } from '../logger/logger.ts'
import { prepare } from '../main.ts'
import { expectServersSchema, placed } from './place.ts'

/**
 * The use cases for one command, on the same storages that the server uses; disposing it leaves a
 * running server alone. Stdout is the command's own.
 */
export function openContext(): Promise<Context> {
  return open((config) => config)
}

/**
 * For what lives in PostgreSQL: an app must be shut out and a leaked key replaced also while Redis
 * is away.
 */
export function openDatabaseContext(): Promise<Context> {
  return open((config) => ({ ...config, redis: undefined }))
}

async function open(adjust: (config: Config) => Config): Promise<Context> {
  await using resources = new AsyncDisposableStack()
  const { config, database } = await prepare(placed(readEnv()), resources)
  await expectServersSchema(database)
  const context = resources.use(
    await createContext(adjust(config), { database, logger: createLogger('warn', process.stderr) }),
  )
  const owned = resources.move()
  return { ...context, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
