import type { Pool } from 'pg'
import type { DatabaseTarget } from '../config/database-url.ts'
import { StartupError } from '../errors.ts'

/** A table of ours that has been there from the first migration on. */
const OURS = 'mikro_orm_migrations'

const FACTS = `
select current_setting('server_encoding') as "encoding", current_setting('server_version_num')::int as "version",
  pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as "isReadOnly",
  current_schema() as "schema", coalesce(has_schema_privilege(current_schema(), 'create'), false) as "mayCreate",
  to_regclass('${OURS}') is not null as "isOurs",
  (select count(*)::int from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')) as "tables"`

interface Facts {
  readonly encoding: string
  readonly version: number
  readonly isReadOnly: boolean
  readonly schema: string | null
  readonly mayCreate: boolean
  readonly isOurs: boolean
  readonly tables: number
}

/**
 * Refuses a database on which Gatehouse would start and fail later. One sentence for each fact,
 * with what to do.
 */
export async function checkFacts(pool: Pool, { user, database }: DatabaseTarget): Promise<void> {
  const facts = (await pool.query<Facts>(FACTS)).rows[0]
  const fault = facts && faultOf(facts, user, database)
  if (fault) throw new StartupError(fault)
}

function faultOf(facts: Facts, user: string, database: string): string | undefined {
  if (facts.version < 150_000)
    return `PostgreSQL ${Math.floor(facts.version / 10_000)} is too old: take 15 or newer.`
  if (facts.encoding !== 'UTF8')
    return `The database ${database} has the encoding ${facts.encoding}: names in most scripts cannot be stored. Create it with "encoding 'UTF8' template template0".`
  if (facts.isReadOnly)
    return `The database ${database} is read-only: it is a standby, or default_transaction_read_only is on. Point DATABASE_URL at the primary.`
  if (facts.schema === null)
    return `The database ${database} has no schema that ${user} may use. Run there: grant usage, create on schema public to "${user}";`
  if (facts.isOurs) return undefined
  if (!facts.mayCreate)
    return `${user} may not create tables in schema ${facts.schema} of ${database}. Run there: grant usage, create on schema ${facts.schema} to "${user}";`
  if (facts.tables > 0)
    return `The database ${database} has ${facts.tables} tables of something else. Give Gatehouse a database of its own: create database gatehouse owner "${user}";`
  return undefined
}
