import type { Redis } from 'ioredis'
import { KEYS } from '../../src/oidc/adapters/redis-keys.ts'
import type { TestServer } from './server.ts'

/**
 * What a test looks at and changes behind the server's back, wherever the artifacts are. Consumed
 * ones do not count.
 */
export interface StoredArtifacts {
  /** Of the youngest of the model, of that account if one is given. */
  secondsLeft(model: string, accountId?: string): Promise<number>
  /** The live ones of the model reach their end now. */
  expire(model: string): Promise<void>
  /** Refresh tokens of the account: as if it had signed in so long ago. */
  signedInBefore(accountId: string, seconds: number): Promise<void>
  forget(model: string): Promise<void>
  /** Everything that is kept there, as text. */
  dump(): Promise<string>
}

export function inPostgres({ context }: TestServer): StoredArtifacts {
  const { pool } = context.database
  return {
    async secondsLeft(model, accountId) {
      const { rows } = await pool.query<{ seconds: number }>(
        `select extract(epoch from max("expires_at") - now())::float as "seconds" from "oidc_artifact"
          where "model" = $1 and "consumed_at" is null and ($2::text is null or "account_id" = $2)`,
        [model, accountId],
      )
      return rows[0]?.seconds ?? Number.NaN
    },
    async expire(model) {
      await pool.query(
        `update "oidc_artifact" set "expires_at" = now() - interval '1 second' where "model" = $1 and "consumed_at" is null`,
        [model],
      )
    },
    async signedInBefore(accountId, seconds) {
      await pool.query(
        `update "oidc_artifact" set "payload" = jsonb_set("payload", '{iiat}', to_jsonb(extract(epoch from now())::int - $2::int))
          where "model" = 'RefreshToken' and "consumed_at" is null and "account_id" = $1`,
        [accountId, seconds],
      )
    },
    async forget(model) {
      await pool.query(`delete from "oidc_artifact" where "model" = $1`, [model])
    },
    async dump() {
      const { rows } = await pool.query<{ name: string }>(
        `select "tablename" as "name" from "pg_tables" where "schemaname" = 'public'`,
      )
      const tables = await Promise.all(
        rows.map(({ name }) =>
          pool.query<{ line: string }>(`select t::text as "line" from "${name}" t`),
        ),
      )
      return tables.flatMap(({ rows: lines }) => lines.map(({ line }) => line)).join('\n')
    },
  }
}

export function inRedis(redis: Redis): StoredArtifacts {
  async function live(model: string, accountId?: string): Promise<string[]> {
    const keys = await redis.keys(KEYS.artifact(model, '*'))
    const hashes = await Promise.all(
      keys.map(async (key) => [key, await redis.hgetall(key)] as const),
    )
    return hashes
      .filter(
        ([, { c, m = '' }]) =>
          c === undefined && (accountId === undefined || m.includes(`a ${accountId}`)),
      )
      .map(([key]) => key)
  }
  return {
    async secondsLeft(model, accountId) {
      const left = await Promise.all((await live(model, accountId)).map((key) => redis.pttl(key)))
      return Math.max(...left) / 1000
    },
    async expire(model) {
      for (const key of await live(model)) await redis.pexpire(key, 1)
    },
    async signedInBefore(accountId, seconds) {
      for (const key of await live('RefreshToken', accountId)) {
        const payload = JSON.parse((await redis.hget(key, 'p')) ?? '{}') as object
        await redis.hset(
          key,
          'p',
          JSON.stringify({ ...payload, iiat: Math.floor(Date.now() / 1000) - seconds }),
        )
      }
    },
    async forget(model) {
      for (const key of await live(model)) await redis.del(key)
    },
    async dump() {
      const keys = await redis.keys('*')
      const values = await Promise.all(
        keys.map(async (key) => {
          const type = await redis.type(key)
          if (type === 'hash') return redis.hgetall(key)
          if (type === 'string') return redis.get(key)
          return type === 'zset' ? redis.zrange(key, '0', '-1') : redis.smembers(key)
        }),
      )
      return JSON.stringify([keys, values])
    },
  }
}
