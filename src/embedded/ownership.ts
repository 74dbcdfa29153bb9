import { Socket } from 'node:net'
import pg from 'pg'
import { ADVISORY_LOCKS } from '../config/advisory-locks.ts'

const OWNERS = ADVISORY_LOCKS.embeddedOwners
const CONNECT_MS = 4_000

/**
 * Who uses the server: every owner keeps a connection that holds a shared advisory lock, so a
 * killed owner lets go by dying. Only a process that gets the lock for itself alone may stop the
 * server.
 */
export class Ownership {
  readonly #client: pg.Client
  readonly #socket: Socket

  private constructor(client: pg.Client, socket: Socket) {
    this.#client = client
    this.#socket = socket
    // The lock must not keep a process alive that has nothing else to do.
    socket.unref()
  }

  /**
   * Joins the owners; undefined while another process is stopping the server. Rejects if the server
   * does not answer with our password.
   */
  static async join(url: string): Promise<Ownership | undefined> {
    const { client, socket } = await connect(url)
    if (!(await lock(client, 'pg_try_advisory_lock_shared')))
      return client.end().then(() => undefined)
    return new Ownership(client, socket)
  }

  /** Leaves the owners. True if nobody else is left, and nobody can join until `end`. */
  async leave(): Promise<boolean> {
    this.#socket.ref()
    await this.#client.query(`select pg_advisory_unlock_shared(${OWNERS})`)
    return lock(this.#client, 'pg_try_advisory_lock')
  }

  async createDatabase(name: string): Promise<void> {
    const { rowCount } = await this.#client.query('select 1 from pg_database where datname = $1', [
      name,
    ])
    if (rowCount !== 0) return
    await this.#client
      .query(`create database ${pg.escapeIdentifier(name)}`)
      .catch((error: { code?: string }) => {
        const madeByAnotherOwner = error.code === '42P04' || error.code === '23505'
        if (!madeByAnotherOwner) throw error
      })
  }

  async end(): Promise<void> {
    await this.#client.end().catch(() => undefined)
  }
}

/** True if no process owns the server; then none can join as long as the returned client lives. */
export async function claimAlone(url: string): Promise<pg.Client | undefined> {
  const { client } = await connect(url)
  if (await lock(client, 'pg_try_advisory_lock')) return client
  await client.end()
  return undefined
}

async function connect(url: string): Promise<{ client: pg.Client; socket: Socket }> {
  const socket = new Socket()
  const connectionString = new URL('/postgres', url).href
  const client = new pg.Client({
    connectionString,
    stream: () => socket,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: CONNECT_MS,
  })
  // A server that goes away ends the ownership; the pool of the product reports it.
  client.on('error', () => undefined)
  await client.connect()
  return { client, socket }
}

async function lock(
  client: pg.Client,
  how: 'pg_try_advisory_lock' | 'pg_try_advisory_lock_shared',
): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>(`select ${how}(${OWNERS}) as held`)
  return rows[0]?.held === true
}
