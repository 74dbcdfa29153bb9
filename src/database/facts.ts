import pg from 'pg'
import { type DatabaseTarget, nameOfDatabase } from '../config/database-url.ts'
import { StartupError } from '../errors.ts'
import { clientConfig } from './connection.ts'

/** Of migrations that were applied. Every program made with MikroORM calls it so. */
const HISTORY = 'mikro_orm_migrations'

/** $1: the names of our tables. The whole history is asked for later, if there is one. */
const FACTS = `
with "here" as (
  select c.* from pg_class c where c.relnamespace = quote_ident(current_schema())::regnamespace and c.relkind in ('r', 'p')
), "ours" as (
  select * from "here" where relname = any($1::text[])
)
select current_setting('server_encoding') as "encoding", current_setting('server_version_num')::int as "version",
  pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as "isReadOnly",
  current_schema() as "schema", coalesce(has_schema_privilege(current_schema(), 'create'), false) as "mayCreate",
  current_database() as "database", (select system_identifier::text from pg_control_system()) as "cluster",
  exists (select from "here" where relname = '${HISTORY}') as "hasHistory",
  (select count(*)::int from "here" where relname <> '${HISTORY}') as "tables",
  (select pg_get_userbyid(relowner) from "ours" where not pg_has_role(relowner, 'usage') limit 1) as "owner",
  (select pg_get_userbyid(relowner) from "ours" where not (has_table_privilege(oid, 'select') and has_table_privilege(oid, 'insert')) limit 1) as "closedBy"`

interface Facts {
  readonly encoding: string
  readonly version: number
  readonly isReadOnly: boolean
  readonly schema: string | null
  readonly mayCreate: boolean
  readonly database: string
  /** What names a cluster and all that were copied from it. */
  readonly cluster: string
  readonly hasHistory: boolean
  readonly tables: number
  /** Who owns tables of ours that this role may not change. */
  readonly owner: string | null
  /** Who owns tables of ours that this role may not use. */
  readonly closedBy: string | null
}

export interface Checked {
  readonly pool: pg.Pool
  readonly target: DatabaseTarget
  /** Where migrations run: the same unless the operator says otherwise. */
  readonly direct: DatabaseTarget
  readonly tables: readonly string[]
  /** Names of all migrations of this program. */
  readonly migrations: readonly string[]
}

/**
 * Refuses a database on which Gatehouse would start and fail later, before anything is written. One
 * sentence for each fact, with what to do.
 */
export async function checkFacts(checked: Checked): Promise<void> {
  const { pool, target, direct, tables, migrations } = checked
  const values = [[...tables, HISTORY]]
  const facts = (await pool.query<Facts>(FACTS, values)).rows[0]
  if (!facts) return
  const migrating = direct === target ? facts : await askDirectly(direct, values)
  refuse(faultOfServer(facts, target))
  if (migrating !== facts) refuse(faultOfDirect(facts, migrating, direct))
  const applied = facts.hasHistory && !facts.closedBy ? await appliedIn(pool) : []
  refuse(
    applied.some((name) => migrations.includes(name)) || facts.closedBy
      ? faultOfOurs(facts, migrating, {
          ...checked,
          isCurrent: migrations.every((name) => applied.includes(name)),
        })
      : faultOfEmpty(facts, migrating, { ...checked, isForeign: applied.length > 0 }),
  )
}

function refuse(fault: string | undefined): void {
  if (fault) throw new StartupError(fault)
}

async function askDirectly(direct: DatabaseTarget, values: unknown[]): Promise<Facts> {
  const client = new pg.Client(clientConfig(direct))
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.query<Facts>(FACTS, values)).rows[0] as Facts
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function appliedIn(pool: pg.Pool): Promise<string[]> {
  return (await pool.query<{ name: string }>(`select "name" from ${HISTORY}`)).rows.map(
    ({ name }) => name,
  )
}

function faultOfServer(facts: Facts, { user, database }: DatabaseTarget): string | undefined {
  if (facts.version < 150_000)
    return `PostgreSQL ${Math.floor(facts.version / 10_000)} is too old: take 15 or newer.`
  if (facts.encoding !== 'UTF8')
    return `The database ${database} has the encoding ${facts.encoding}: names in most scripts cannot be stored. Create it with "encoding 'UTF8' template template0".`
  if (facts.isReadOnly)
    return `The database ${database} is read-only: it is a standby, or default_transaction_read_only is on. Point DATABASE_URL at the primary.`
  if (facts.schema === null)
    return `The database ${database} has no schema that ${user} may use. Run there: grant usage, create on schema public to "${user}";`
  return undefined
}

function faultOfDirect(facts: Facts, migrating: Facts, direct: DatabaseTarget): string | undefined {
  const name = `DATABASE_DIRECT_URL (${nameOfDatabase(direct)})`
  if (migrating.cluster !== facts.cluster || migrating.database !== facts.database)
    return `${name} is another database than DATABASE_URL's. Point it at the PostgreSQL behind that pooler, with the same database name.`
  if (migrating.isReadOnly) return `${name} is read-only: it is a standby. Point it at the primary.`
  if (migrating.schema !== facts.schema)
    return `${name} uses the schema ${migrating.schema ?? 'of nobody'}, and DATABASE_URL ${facts.schema}. Run there: alter role "${direct.user}" set search_path = "${facts.schema}";`
  return undefined
}

function faultOfOurs(
  facts: Facts,
  migrating: Facts,
  { target, direct, isCurrent }: Checked & { readonly isCurrent: boolean },
): string | undefined {
  if (facts.closedBy) return foreignTables(facts.closedBy, target)
  if (migrating.owner && !isCurrent) return foreignTables(migrating.owner, direct)
  return migrating.mayCreate || isCurrent ? undefined : mayNotCreate(migrating, direct)
}

function foreignTables(owner: string, { user, database }: DatabaseTarget): string {
  return `Tables of Gatehouse in the database ${database} belong to ${owner}, and ${user} may not use or change them. Run there: grant "${owner}" to "${user}";`
}

function faultOfEmpty(
  facts: Facts,
  migrating: Facts,
  { target: { user, database }, direct, isForeign }: Checked & { readonly isForeign: boolean },
): string | undefined {
  const own = `Give Gatehouse a database of its own: create database gatehouse owner "${user}";`
  if (isForeign)
    return `The database ${database} has the migrations of another program (table ${HISTORY}). ${own}`
  if (!migrating.mayCreate) return mayNotCreate(migrating, direct)
  return facts.tables > 0
    ? `The database ${database} has ${facts.tables} tables of something else. ${own}`
    : undefined
}

function mayNotCreate({ schema }: Facts, { user, database }: DatabaseTarget): string {
  return `${user} may not create tables in schema ${schema} of ${database}. Run there: grant usage, create on schema ${schema} to "${user}";`
}
