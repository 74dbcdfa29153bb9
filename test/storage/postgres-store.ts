import pg from 'pg'
import { createPostgresStore } from '../../src/oidc/adapters/postgres-store.ts'
import { deleteExpired } from '../../src/retention/jobs.ts'
import type { StoreUnderTest } from './adapter-contract.ts'

/**
 * A pool that outlives its database: `pool.end()` does not wait for the sockets, and the database
 * is dropped right after.
 */
export function openPool(url: string, max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max })
  pool.on('connect', (client) => client.on('error', () => undefined))
  pool.on('error', () => undefined)
  return pool
}

/**
 * The contract's view of `oidc_artifact` in the migrated database at `url`. Its connections serve
 * every test of a file.
 */
export class PostgresStorages implements AsyncDisposable {
  readonly #url: string
  readonly #admin: pg.Pool
  readonly #pools: pg.Pool[] = []

  constructor(url: string) {
    this.#url = url
    this.#admin = openPool(url, 1)
  }

  async make(): Promise<StoreUnderTest> {
    await this.#admin.query('truncate "oidc_artifact"')
    let opened = 0
    return {
      open: ({ leewaySeconds = () => 10 } = {}) =>
        createPostgresStore({ pool: this.#pool(opened++), leewaySeconds }),
      age: (seconds) => this.#age(seconds),
      purge: async () => void (await deleteExpired(this.#pool(opened++), 'protocol artifacts')),
      dump: () => this.#dump(),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  /** One pool for each instance that a test opens. */
  #pool(index: number): pg.Pool {
    const pool = this.#pools[index] ?? openPool(this.#url, 8)
    this.#pools[index] = pool
    return pool
  }

  async #age(seconds: number): Promise<void> {
    const earlier = (column: string) => `"${column}" = "${column}" - $1 * interval '1 second'`
    await this.#admin.query(
      `update "oidc_artifact" set ${earlier('consumed_at')}, ${earlier('expires_at')}`,
      [seconds],
    )
  }

  async #dump(): Promise<string> {
    const { rows } = await this.#admin.query<{ text: string }>(
      `select "a"::text as "text" from "oidc_artifact" as "a"`,
    )
    return rows.map(({ text }) => text).join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#admin, ...this.#pools].map((pool) => pool.end()))
  }
}
