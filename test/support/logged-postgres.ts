import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../../src/database/database.ts'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { asAdmin } from './postgres.ts'

/**
 * A PostgreSQL of its own, migrated, whose log has every statement with its parameters: what a
 * careless operator may turn on.
 */
export async function startLoggedPostgres(): Promise<
  { readonly url: string; log(): string } & AsyncDisposable
> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-logged-'))
  chmodSync(folder, 0o755)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => rmSync(folder, { recursive: true, force: true }))
  const dataDir = join(folder, 'data')
  const { url } = undo.use(await startEmbeddedPostgres({ dataDir }))
  const database = await openDatabase({ url, pool: 2 })
  await database.migrate()
  await database[Symbol.asyncDispose]()
  await asAdmin(url, async (client) => {
    const settings = {
      log_statement: 'all',
      log_error_verbosity: 'default',
      log_parameter_max_length: -1,
      log_min_error_statement: 'error',
    }
    for (const [name, value] of Object.entries(settings))
      await client.query(`alter database gatehouse set ${name} = '${value}'`)
  })
  const owned = undo.move()
  return {
    url,
    log: () => readFileSync(join(dataDir, 'postgres', 'server.log'), 'utf8'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
