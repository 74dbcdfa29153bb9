import type { Cluster, Redis } from 'ioredis'
import { StartupError } from '../errors.ts'
import type { Servers } from './servers.ts'

/** Ends by itself a moment later. */
const PROBE = 'gh:start:'
const PROBE_MS = 1000
/** More names than this are not tried to find one that a server of a Cluster holds. */
const NAMES_TRIED = 10_000

/** What would be noticed only when somebody cannot sign in: refused at the start, with what to do. */
export async function refuseUnfit(client: Redis | Cluster, servers: Servers): Promise<void> {
  if (!('nodes' in client)) await refuseDatabase(client)
  for (const server of servers.all()) {
    await refuseReplica(server)
    await refuseEviction(server)
    await refuseReadOnly(client, servers, server)
  }
}

/** The client selects it when it connects, and goes on in database 0 when that fails. */
async function refuseDatabase(client: Redis): Promise<void> {
  const { db = 0 } = client.options
  if (db === 0) return
  await client.select(db).catch((cause: unknown) => {
    throw new StartupError(
      `Redis refuses the database number ${db} of REDIS_URL (${messageOf(cause)}). Leave it out, or give one that the server has (its setting "databases").`,
      { cause },
    )
  })
}

async function refuseReplica(server: Redis): Promise<void> {
  const replication = await server.info('replication')
  if (!/^role:slave/m.test(replication)) return
  const [host, port] = ['host', 'port'].map(
    (part) => new RegExp(`^master_${part}:(\\S+)`, 'm').exec(replication)?.[1],
  )
  throw new StartupError(
    `Redis at ${server.options.host}:${server.options.port} is a replica of ${host}:${port}. Let REDIS_URL name that primary, or REDIS_SENTINELS who finds it.`,
  )
}

async function refuseEviction(server: Redis): Promise<void> {
  const policy = /^maxmemory_policy:(\S+)/m.exec(await server.info('memory'))?.[1] ?? 'noeviction'
  if (policy !== 'noeviction')
    throw new StartupError(
      `Redis may evict keys (maxmemory-policy ${policy}), which signs people out at random. Set maxmemory-policy noeviction.`,
    )
}

async function refuseReadOnly(
  client: Redis | Cluster,
  servers: Servers,
  server: Redis,
): Promise<void> {
  const key = keyOn(servers, server)
  if (key === undefined) return
  await client.set(key, '', 'PX', PROBE_MS).catch((cause: unknown) => {
    const said = messageOf(cause)
    // Lost between two commands: the caller has the sentence for that.
    if (!/^[A-Z]+ /.test(said)) throw cause
    throw new StartupError(`Redis refuses to write (${said}). ${remedyOf(said)}`, { cause })
  })
}

/** Undefined for a server of a Cluster that holds no keys. */
function keyOn(servers: Servers, server: Redis): string | undefined {
  const name = servers.nameOf(server)
  for (let index = 0; index < NAMES_TRIED; index += 1)
    if (servers.nameFor(`${PROBE}${index}`) === name) return `${PROBE}${index}`
  return undefined
}

function remedyOf(said: string): string {
  if (said.startsWith('NOPERM'))
    return 'Allow its user all commands on the keys "gh:*" (ACL SETUSER).'
  if (said.startsWith('NOREPLICAS')) return 'Start its replicas, or lower min-replicas-to-write.'
  if (said.startsWith('MISCONF'))
    return 'Make room on its disk, or mend what its log says of saving.'
  if (said.startsWith('OOM')) return 'Raise its maxmemory.'
  return 'Mend what it says, and start again.'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
}
