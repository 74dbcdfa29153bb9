import { buildConfig, type Config } from './config/config.ts'
import type { Env } from './config/env.ts'
import { loadSecrets } from './config/secrets.ts'
import { type Database, openDatabase } from './database/database.ts'
import type { Patience } from './patience.ts'

/** Configuration and an open database: the given one, or outside production an embedded one. */
export async function prepare(
  env: Env,
  resources: AsyncDisposableStack,
  patience?: Patience,
): Promise<{ config: Config; database: Database }> {
  const secrets = loadSecrets(env)
  let databaseUrl = env.DATABASE_URL
  if (databaseUrl === undefined) {
    const { startEmbeddedPostgres } = await import('./embedded/postgres.ts')
    databaseUrl = resources.use(await startEmbeddedPostgres({ dataDir: env.DATA_DIR })).url
  }
  const config = buildConfig(env, {
    databaseUrl,
    embedded: env.DATABASE_URL === undefined,
    secrets,
  })
  const database = resources.use(
    await openDatabase({ ...config.database, ...(patience ? { patience } : {}) }),
  )
  return { config, database }
}
