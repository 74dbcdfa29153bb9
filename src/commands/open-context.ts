import { readEnv } from '../config/env.ts'
import { type Context, createContext } from '../context.ts'
import { migrate } from '../database.ts'
import { createLogger } from '../logger.ts'
import { prepare } from '../main.ts'

/** The use cases for one command, on the same database that the server uses; disposing it leaves a running server alone. Stdout is the command's own. */
export async function openContext(): Promise<Context> {
  await using resources = new AsyncDisposableStack()
  const { config, database } = await prepare(readEnv(), resources)
  await migrate(database)
  const context = resources.use(await createContext(config, { database, logger: createLogger('warn', process.stderr) }))
  const owned = resources.move()
  return { ...context, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
