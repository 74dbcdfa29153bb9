import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { freePort } from '../../src/embedded/free-port.ts'
import { startServer, type TestRedis } from '../support/redis.ts'

const run = promisify(execFile)
/** Until the others agree that a server has failed, in milliseconds. */
const NODE_TIMEOUT_MS = 1500
const PREPARATION_MS = 45_000

export type Server = TestRedis & { readonly port: number }

export interface RedisCluster extends AsyncDisposable {
  readonly urls: readonly string[]
  readonly servers: readonly Server[]
  /** Of each server that is a master now, a connection to it alone. The caller disconnects. */
  masters(): Promise<Redis[]>
}

/** Three masters and three replicas on loopback. */
export async function startCluster({
  nodeTimeoutMs = NODE_TIMEOUT_MS,
} = {}): Promise<RedisCluster> {
  await using undo = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-cluster-'))
  undo.defer(() => rmSync(dir, { recursive: true, force: true }))
  const servers: Server[] = []
  for (let index = 0; index < 6; index += 1) {
    const bus = await freePort()
    const options = [
      '--cluster-enabled',
      'yes',
      '--cluster-config-file',
      join(dir, `${index}.conf`),
      '--cluster-port',
      String(bus),
    ]
    servers.push(
      undo.use(
        await startServer([
          ...options,
          '--cluster-node-timeout',
          String(nodeTimeoutMs),
          '--dir',
          dir,
        ]),
      ),
    )
  }
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`)
  await run('redis-cli', [
    '--cluster',
    'create',
    ...addresses,
    '--cluster-replicas',
    '1',
    '--cluster-yes',
  ])
  await untilEvery(servers, 'cluster', (text) => /cluster_state:ok/.test(text))
  const owned = undo.move()
  return {
    urls: servers.slice(0, 3).map(({ url }) => url),
    servers,
    async masters() {
      const found: Redis[] = []
      for (const { url } of servers) {
        const client = new Redis(url, { retryStrategy: null, lazyConnect: true })
        client.on('error', () => undefined)
        const role = await client.connect().then(
          () => client.info('replication'),
          () => '',
        )
        if (/role:master/.test(role)) found.push(client)
        else client.disconnect()
      }
      return found
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function untilEvery(
  servers: readonly Server[],
  section: string,
  isGood: (text: string) => boolean,
): Promise<void> {
  for (const { url } of servers) {
    const client = new Redis(url)
    const text = (): Promise<string> =>
      section === 'cluster' ? client.cluster('INFO') : client.info(section)
    while (!isGood(await text())) await new Promise((resolve) => setTimeout(resolve, 100))
    client.disconnect()
  }
}

/** What a Sentinel knows, as its INFO has it. */
export async function viewOf(sentinel: string): Promise<string> {
  const client = new Redis(`redis://${sentinel}`)
  try {
    return await client.info('sentinel')
  } finally {
    client.disconnect()
  }
}

/** One that has been stopped for a while, or whose clock has jumped, does nothing for 30 seconds (TILT). */
function isPrepared(view: string): boolean {
  return /sentinel_tilt:0/.test(view) && view.includes(`slaves=1,sentinels=${SENTINELS}`)
}

export interface SentinelPair extends AsyncDisposable {
  readonly sentinels: readonly string[]
  readonly master: Server
  readonly replica: Server
}

const SENTINELS = 3

/**
 * A master, its replica, and Sentinels of which two have to agree on a failover; they know each
 * other and the replica.
 */
export async function startSentinels(): Promise<SentinelPair> {
  await using undo = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-sentinel-'))
  undo.defer(() => rmSync(dir, { recursive: true, force: true }))
  const master = undo.use(await startServer([]))
  const replica = undo.use(await startServer(['--replicaof', '127.0.0.1', String(master.port)]))
  await untilEvery([replica], 'replication', (text) => /master_link_status:up/.test(text))
  const sentinels: string[] = []
  for (let index = 0; index < SENTINELS; index += 1) {
    const sentinel = undo.use(
      await startServer({ sentinel: join(dir, `${index}.conf`), watching: master.port }),
    )
    sentinels.push(`127.0.0.1:${sentinel.port}`)
  }
  const deadline = Date.now() + PREPARATION_MS
  for (const sentinel of sentinels) {
    while (!isPrepared(await viewOf(sentinel))) {
      if (Date.now() > deadline)
        throw new Error(`the Sentinels do not find each other: ${await viewOf(sentinel)}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  const owned = undo.move()
  return { sentinels, master, replica, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
