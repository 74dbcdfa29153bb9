import type { Config } from '../../src/config/config.ts'
import { startRedis, type TestRedis } from './redis.ts'

/** Where grants and tokens can live; what must hold on both is a `describe.each` of these. */
export const STORAGES = ['PostgreSQL', 'Redis'] as const
export type StorageName = (typeof STORAGES)[number]

export interface TestStorage extends AsyncDisposable {
  /** For the settings of a server; every server has PostgreSQL. */
  readonly config: Pick<Partial<Config>, 'redis'>
  readonly redis: TestRedis | undefined
}

export async function startStorage(name: StorageName = 'PostgreSQL'): Promise<TestStorage> {
  const redis = name === 'Redis' ? await startRedis() : undefined
  return {
    redis,
    config: redis ? { redis: { urls: [redis.url], sentinels: [] } } : {},
    [Symbol.asyncDispose]: async () => redis?.[Symbol.asyncDispose](),
  }
}
