import type { Socket } from 'node:net'
import type { Client, ClientConfig, Pool, PoolClient } from 'pg'
import type { DatabaseTarget } from '../config/database-url.ts'
import { type Pooling, SESSION, settingsOf, strange } from './session.ts'

const CONNECT_MS = 5000
/** Milliseconds without a word, of a server that would have cut off the statement before. */
const SILENCE_MS = 6000

/**
 * For the driver, with nothing left to its defaults. Session parameters come later: poolers refuse
 * them in the first message.
 */
export function clientConfig({
  host,
  port,
  user,
  password,
  database,
  tls,
}: DatabaseTarget): ClientConfig {
  return {
    host,
    port,
    user,
    // An empty one would be looked for in ~/.pgpass.
    password: password || (() => ''),
    database,
    ssl: tls
      ? {
          ...tls,
          // The driver names no host where it is an address, and the certificate would be checked
          // for "localhost".
          host,
          ...(tls.checksHost ? {} : { checkServerIdentity: () => undefined }),
        }
      : false,
    application_name: 'gatehouse',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
  }
}

/**
 * What a pool does to its connections. New ones get their session parameters, or show that they
 * have them. And those that are dead are given up. Without it
 * - one whose server or network is gone is found out by the system in a quarter of an hour: now, by
 *   its silence while somebody waits;
 * - one that is lost within a transaction stays taken for ever, as Kysely forgets it when BEGIN or
 *   ROLLBACK fail (its issue 1990).
 * A request that waits is told (503), and none is given it again.
 */
export function caring(pooling: Pooling): {
  readonly onConnect: (client: Client) => Promise<void>
  watch(pool: Pool): void
  /** Gives up what is taken now: a request that waits for an answer is told. */
  abandon(): void
} {
  const taken = new Set<PoolClient>()
  return {
    async onConnect(client) {
      const socket = socketOf(client)
      socket.on('timeout', () =>
        socket.destroy(
          Object.assign(new Error('The database does not answer'), { code: 'ETIMEDOUT' }),
        ),
      )
      socket.on('close', () => {
        const pooled = client as unknown as PoolClient
        if (!taken.has(pooled)) return
        pooled.release(true)
        pooled.release = () => undefined
      })
      socket.setTimeout(SILENCE_MS)
      const wrong = strange(await settingsOf(client, pooling))
      if (wrong.length > 0)
        throw new Error(
          `A connection has another ${wrong.map((name) => `${name} than ${SESSION[name]}`).join(', ')}`,
        )
    },
    watch(pool) {
      pool.on('acquire', (client) => {
        taken.add(client)
        socketOf(client).setTimeout(SILENCE_MS)
      })
      pool.on('release', (_error, client) => {
        taken.delete(client)
        bePatient(client)
      })
    },
    abandon() {
      for (const client of taken) socketOf(client).destroy()
    },
  }
}

function bePatient(client: PoolClient): void {
  socketOf(client).setTimeout(0)
}

/** Work whose statements may take longer than those of a request. */
export async function patiently<T>(
  { pool }: { readonly pool: Pool },
  work: () => Promise<T>,
): Promise<T> {
  pool.on('acquire', bePatient)
  try {
    return await work()
  } finally {
    pool.off('acquire', bePatient)
  }
}

function socketOf(client: Client | PoolClient): Socket {
  return client.connection.stream as Socket
}
