import { join } from 'node:path'
import pg from 'pg'
import { note } from './notes.ts'

/** A PostgreSQL for the whole run: `TEST_DATABASE_URL` if set, else the embedded one, without fsync. */
export async function startPostgres(runDir: string): Promise<{ url: string } & AsyncDisposable> {
  const given = process.env['TEST_DATABASE_URL']
  if (given) {
    note('postgres', `TEST_DATABASE_URL, ${await version(given)}`)
    return { url: given, [Symbol.asyncDispose]: async () => undefined }
  }
  const { startEmbeddedPostgres } = await import('../../src/embedded/postgres.ts')
  const server = await startEmbeddedPostgres({ dataDir: join(runDir, 'data') })
  await withoutFsync(server.url)
  note('postgres', `embedded, ${await version(server.url)}`)
  return server
}

async function withoutFsync(url: string): Promise<void> {
  await asAdmin(url, async (client) => {
    for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes'])
      await client.query(`alter system set ${setting} = off`)
    await client.query('select pg_reload_conf()')
  })
}

async function version(url: string): Promise<string> {
  return asAdmin(
    url,
    async (client) =>
      `PostgreSQL ${(await client.query<{ v: string }>("select current_setting('server_version') as v")).rows[0]?.v}`,
  )
}

/** Runs one errand on a connection of its own. */
export async function asAdmin<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
