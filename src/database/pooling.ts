import pg from 'pg'
import { type DatabaseTarget, nameOfDatabase } from '../config/database-url.ts'
import { StartupError } from '../errors.ts'
import { clientConfig } from './connection.ts'
import { type Pooling, SESSION, SHOWN, strange } from './session.ts'

const ROUNDS = 4
const ANSWER_MS = 4000

/**
 * Connects, and finds out what is in between. Throws what the connection throws, or `StartupError`
 * for a pooler that does not do.
 */
export async function poolingOf(
  target: DatabaseTarget,
  { hasDirect }: { readonly hasDirect: boolean },
): Promise<Pooling> {
  await using resources = new AsyncDisposableStack()
  const [first, second] = [connection(target, resources), connection(target, resources)] as const
  await first.connect()
  // A pooler makes up the process that it names in the first message.
  if ((first as unknown as { processID: number }).processID === (await processOf(first)))
    return 'session'
  try {
    await second.connect()
    const found = await compare(first, second)
    if (!found) return 'session'
    throwFaults(target, { ...found, hasDirect })
    return 'transaction'
  } catch (error) {
    if (!/transaction blocks not allowed/i.test((error as Error).message)) throw error
    throw new StartupError(
      `${pooler(target)} hands out connections by statement. Write pool_mode = session into its configuration.`,
    )
  }
}

function connection(target: DatabaseTarget, resources: AsyncDisposableStack): pg.Client {
  const client = new pg.Client({ ...clientConfig(target), query_timeout: ANSWER_MS })
  client.on('error', () => undefined)
  resources.defer(() => client.end().catch(() => undefined))
  return client
}

async function processOf(client: pg.Client): Promise<number | undefined> {
  return (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid
}

interface Found {
  readonly keepsStatements: boolean
  readonly wrong: readonly string[]
}

/**
 * While one connection is within a transaction, the other is given another session, if sessions are
 * given by transaction.
 */
async function compare(first: pg.Client, second: pg.Client): Promise<Found | undefined> {
  const statement = { name: 'gatehouse-start', text: `select pg_backend_pid() as pid, ${SHOWN}` }
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = (
      await first.query<{ pid: number }>({ ...statement, name: `${statement.name}-${round}` })
    ).rows[0]
    await second.query('begin')
    const held = await processOf(second)
    const after = await first
      .query<{ pid: number }>({ ...statement, name: `${statement.name}-${round}` })
      .then(
        ({ rows }) => rows[0],
        (error: { code?: string }) => {
          // The other session knows nothing of the statement, or something else by its name.
          if (error.code?.startsWith('26') || error.code?.startsWith('42')) return undefined
          throw error
        },
      )
    await second.query('rollback')
    if (held !== before?.pid && after?.pid === before?.pid) continue
    const shown = after ?? (await first.query(`select ${SHOWN}`)).rows[0]
    return {
      keepsStatements: after !== undefined,
      wrong: [...new Set([...strange(before ?? {}), ...strange(shown)])],
    }
  }
  return undefined
}

function throwFaults(
  target: DatabaseTarget,
  { keepsStatements, wrong, hasDirect }: Found & { hasDirect: boolean },
): void {
  const { user, database } = target
  const alter = (name: string) =>
    `alter role ${pg.escapeIdentifier(user)} in database ${pg.escapeIdentifier(database)} set ${name} = '${SESSION[name]}';`
  const faults = [
    ...(keepsStatements
      ? []
      : [
          'It loses prepared statements: it must be PgBouncer 1.21 or newer, with max_prepared_statements = 200.',
        ]),
    ...(wrong.length > 0
      ? [`Its sessions lack settings. Run in PostgreSQL: ${wrong.map(alter).join(' ')}`]
      : []),
    ...(hasDirect
      ? []
      : [
          'Locks and notifications need PostgreSQL itself: set DATABASE_DIRECT_URL to its address.',
        ]),
  ]
  if (faults.length > 0)
    throw new StartupError(
      [
        `${pooler(target)} hands out connections by transaction. Write pool_mode = session into its configuration, or:`,
        ...faults,
      ].join('\n  '),
    )
}

function pooler(target: DatabaseTarget): string {
  return `The pooler at ${nameOfDatabase(target)}`
}
