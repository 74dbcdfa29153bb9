import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from '../../src/embedded/free-port.ts'
import { idDigest } from '../../src/oidc/adapters/artifact-keys.ts'
import { KEYS, nameOf } from '../../src/oidc/adapters/redis-keys.ts'
import { note } from './notes.ts'

export interface TestRedis extends AsyncDisposable {
  readonly url: string
  /** The process, where the test may stop and kill it; the stand-in runs in this one. */
  readonly pid: number | undefined
}

/**
 * `REDIS_URL`, else a `redis-server` of our own, else the stand-in in this process: whatever it is,
 * it begins empty.
 */
export async function startRedis(): Promise<TestRedis> {
  const given = process.env['REDIS_URL']
  if (given) return useGiven(given)
  if (findServer()) return startServer([])
  const { createRedisMock } = await import('js-redis-server')
  const server = await createRedisMock()
  note('redis', 'js-redis-server, in-process: no REDIS_URL, and no redis-server on PATH')
  return { url: server.url, pid: undefined, [Symbol.asyncDispose]: () => server.close() }
}

/** Straight, for what a test looks at. */
export function connectTo(url: string): Redis {
  return new Redis(url)
}

/** The key of a token. */
export function keyOf(model: string, id: string): string {
  return KEYS.artifact(model, nameOf(model, idDigest(model, id), id))
}

/** Codes and refresh tokens. */
export async function spendableIn(redis: Redis): Promise<string[]> {
  return (
    await Promise.all(
      ['AuthorizationCode', 'RefreshToken'].map((model) => redis.keys(KEYS.artifact(model, '*'))),
    )
  ).flat()
}

/** As a server that takes over without having heard of the last uses. */
export async function forgetUses(redis: Redis): Promise<void> {
  for (const key of await spendableIn(redis)) await redis.hdel(key, 'c')
}

export function findServer(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'redis-server'))
    .find((path) => existsSync(path))
}

export interface Sentinel {
  /** Where it keeps its state. */
  readonly sentinel: string
  /** Port of the master, known to it as `mymaster`. */
  readonly watching: number
}

/** A server of our own that keeps nothing on disk, or a Sentinel; killed with the test. */
export async function startServer(
  options: readonly string[] | Sentinel,
): Promise<TestRedis & { readonly port: number }> {
  const server = findServer()
  if (!server) throw new Error('redis-server is not on PATH: apt-get install redis-server')
  const port = await freePort()
  const child = spawn(
    server,
    'sentinel' in options ? sentinelArguments(options, port) : serverArguments(options, port),
    {
      stdio: 'ignore',
    },
  )
  const url = `redis://127.0.0.1:${port}`
  const version = await untilUp(url)
  note('redis', `redis-server ${version}, started by the test`)
  return {
    url,
    port,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

function serverArguments(options: readonly string[], port: number): string[] {
  const nothingOnDisk = ['--save', '', '--appendonly', 'no', '--logfile', '', '--dir', '/tmp']
  return [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--repl-diskless-sync-delay',
    '0',
    ...nothingOnDisk,
    ...options,
  ]
}

function sentinelArguments({ sentinel, watching }: Sentinel, port: number): string[] {
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor mymaster 127.0.0.1 ${watching} 2`,
    'sentinel down-after-milliseconds mymaster 800',
    'sentinel failover-timeout mymaster 3000',
  ]
  writeFileSync(sentinel, `${lines.join('\n')}\n`)
  return [sentinel, '--sentinel']
}

/** One logical database for each jest worker, so that files that run at once do not meet. */
async function useGiven(given: string): Promise<TestRedis> {
  const url = new URL(given)
  url.pathname = `/${8 + (Number(process.env['JEST_WORKER_ID'] ?? 1) % 8)}`
  const version = await untilUp(url.href)
  const client = new Redis(url.href)
  await client.flushdb()
  client.disconnect()
  note('redis', `REDIS_URL, redis ${version}`)
  return { url: url.href, pid: undefined, [Symbol.asyncDispose]: async () => undefined }
}

async function untilUp(url: string): Promise<string> {
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null })
  client.on('error', () => undefined)
  try {
    return /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? 'of unknown version'
  } finally {
    client.disconnect()
  }
}
