import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { asAdmin } from './postgres.ts'

/** What PostgreSQL says of one statement since the counts began. */
export interface StatementFigures {
  readonly query: string
  readonly calls: number
  readonly plans: number
  readonly executionMs: number
  readonly planningMs: number
  readonly walBytes: number
}

export interface CountingPostgres extends AsyncDisposable {
  /** Of an empty database. */
  readonly url: string
  /** Counts begin anew. */
  reset(): Promise<void>
  /** What autovacuum does within a minute: plans are made anew, for tables that are not empty. */
  analyze(): Promise<void>
  /** Of every statement, by what it took. */
  figures(): Promise<StatementFigures[]>
}

const FIGURES = `
select "query", "calls"::int, "plans"::int, "total_exec_time" as "executionMs",
  "total_plan_time" as "planningMs", "wal_bytes"::float8 as "walBytes"
from "pg_stat_statements" s join "pg_database" d on d."oid" = s."dbid"
where d."datname" = current_database() and "query" not like '%pg_stat_statements%'
order by "total_exec_time" + "total_plan_time" desc`

/**
 * A PostgreSQL of its own with `pg_stat_statements`, which the npm binaries bring; it counts
 * planning too. The library is loaded at the start, so the server starts twice.
 */
export async function startCountingPostgres(): Promise<CountingPostgres> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-counting-'))
  chmodSync(dataDir, 0o755)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => rmSync(dataDir, { recursive: true, force: true }))
  const first = await startEmbeddedPostgres({ dataDir })
  await asAdmin(first.url, async (client) => {
    await client.query("alter system set shared_preload_libraries = 'pg_stat_statements'")
    await client.query('alter system set pg_stat_statements.track_planning = on')
  })
  await first[Symbol.asyncDispose]()
  const { url } = undo.use(await startEmbeddedPostgres({ dataDir }))
  const run = (statement: string) =>
    asAdmin(url, async (client) => void (await client.query(statement)))
  await run('create extension pg_stat_statements')
  const owned = undo.move()
  return {
    url,
    reset: () => run('select pg_stat_statements_reset()'),
    analyze: () => run('analyze'),
    figures: () =>
      asAdmin(url, async (client) => (await client.query<StatementFigures>(FIGURES)).rows),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
