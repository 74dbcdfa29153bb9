import type { Config } from '../config/config.ts'
import { readEnv } from '../config/env.ts'
import { type Context, createContext } from '../context.ts'
import { type Database, migrate } from '../database.ts'
import { createLogger } from '../logger.ts'
import { prepare } from '../main.ts'

/** The use cases for one command, on the same database that the server uses; disposing it leaves a running server alone. Stdout is the command's own. */
export async function openContext(): Promise<Context> {
  await using resources = new AsyncDisposableStack()
  const { config, database } = await prepare(readEnv(), resources)
  return await compose(config, database, resources)
}

/** For what lives in PostgreSQL: an app must be shut out and a leaked key replaced also while Redis is away. */
export async function openDatabaseContext(): Promise<Context> {
  await using resources = new AsyncDisposableStack()
  const { config, database } = await prepare(readEnv(), resources)
  return await compose({ ...config, redis: undefined }, database, resources)
}

async function compose(config: Config, database: Database, resources: AsyncDisposableStack): Promise<Context> {
  await migrate(database)
  const context = resources.use(await createContext(config, { database, logger: createLogger('warn', process.stderr) }))
  const owned = resources.move()
  return { ...context, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
