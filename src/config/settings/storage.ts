import { z } from 'zod'
import { databaseUrl, list } from '../setting-types.ts'

/** PostgreSQL and Redis. */
export const STORAGE_SETTINGS = {
  DATABASE_URL: databaseUrl
    .optional()
    .describe(
      'PostgreSQL to use: `postgres://user:password@host:port/database`, with `?sslmode=verify-full` over a network. Unset outside production: an embedded PostgreSQL under `DATA_DIR`.',
    ),
  DATABASE_DIRECT_URL: databaseUrl
    .optional()
    .describe(
      'PostgreSQL itself, where `DATABASE_URL` is a pooler: for notifications, locks and migrations. Default: `DATABASE_URL`.',
    ),
  DATABASE_POOL: z.coerce
    .number()
    .int()
    .min(2)
    .max(100)
    .default(10)
    .describe('Connections to PostgreSQL per process.'),
  REDIS_URL: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Redis for grants and rate limits: one URL, or several separated by commas for a Cluster. Unset: both live in PostgreSQL and in the process.',
    ),
  REDIS_SENTINELS: list
    .optional()
    .describe(
      'Sentinel addresses `host:port,host:port`; the master name is the path of `REDIS_URL` (`redis://mymaster`).',
    ),
}
