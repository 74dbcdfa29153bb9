import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import pg from 'pg'
import { freePort } from '../src/embedded/free-port.ts'
import { startEmbeddedPostgres } from '../src/embedded/postgres.ts'
import { pin, read, STORAGE_CORE } from './machine.ts'

/** Databases of this run only, on the given server or on an embedded one that has a core of its own. */
export class ScratchPostgres implements AsyncDisposable {
  readonly #admin: string
  readonly #resources: AsyncDisposableStack
  readonly #postmaster: number | undefined

  static async start(given: string | undefined): Promise<ScratchPostgres> {
    const resources = new AsyncDisposableStack()
    if (given) return new ScratchPostgres(given, resources)
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
    // Readable for the user that PostgreSQL runs as when we are root; else its data would be put
    // somewhere else.
    chmodSync(folder, 0o755)
    resources.defer(() => rmSync(folder, { recursive: true, force: true }))
    const { url } = resources.use(await startEmbeddedPostgres({ dataDir: folder }))
    const postmaster = Number(
      read(join(folder, 'postgres/cluster/data/postmaster.pid'))?.split('\n')[0],
    )
    pin(postmaster, STORAGE_CORE)
    return new ScratchPostgres(url, resources, postmaster)
  }

  private constructor(admin: string, resources: AsyncDisposableStack, postmaster?: number) {
    this.#admin = admin
    this.#resources = resources
    this.#postmaster = postmaster
  }

  /** The processes that are ours to pin: none of a given server. */
  processes(): number[] {
    return this.#postmaster === undefined ? [] : [this.#postmaster]
  }

  async database(): Promise<string> {
    const name = `gatehouse_bench_${randomBytes(4).toString('hex')}`
    await run(this.#admin, `create database ${name}`)
    this.#resources.defer(() => run(this.#admin, `drop database if exists ${name} with (force)`))
    const url = new URL(this.#admin)
    url.pathname = `/${name}`
    return url.href
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync()
  }
}

/** One statement after the other on a connection of its own. */
export async function run(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

/** A redis-server on loopback that keeps nothing on disk; undefined where none is on PATH. */
export async function startRedis(): Promise<
  (AsyncDisposable & { readonly url: string }) | undefined
> {
  const port = await freePort()
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    {
      stdio: 'ignore',
    },
  )
  const isThere = await Promise.race([
    once(child, 'error').then(() => false),
    once(child, 'spawn').then(() => true),
  ])
  if (!isThere) return undefined
  pin(child.pid ?? 0, STORAGE_CORE)
  const url = `redis://127.0.0.1:${port}`
  await answering(url)
  return {
    url,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}

async function answering(url: string): Promise<void> {
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: 100 })
  client.on('error', () => undefined)
  await client.ping()
  client.disconnect()
  await sleep(0)
}
