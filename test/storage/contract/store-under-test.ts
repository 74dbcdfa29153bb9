import { afterEach, beforeEach } from '@jest/globals'
import type { ArtifactStore } from '../../../src/oidc/adapters/adapter.ts'

/** What the contract needs of a storage, so that it can be the same for PostgreSQL and Redis. */
export interface StoreUnderTest extends AsyncDisposable {
  /**
   * One more server instance over the same storage, with connections of its own. The default leeway
   * is 10 seconds.
   */
  open(options?: { leewaySeconds?: (clientId: string) => number }): ArtifactStore
  /** Makes everything stored so far that many seconds older. */
  age(seconds: number): Promise<void>
  /** Deletes what has expired, where the storage does not do it by itself. */
  purge(): Promise<void>
  /** Everything at rest, keys included, as text; bytes in hexadecimal. */
  dump(): Promise<string>
}

/** An empty storage. */
export type MakeStore = () => Promise<StoreUnderTest>

/** A fresh storage for every test. */
export function useStore(make: MakeStore): StoreUnderTest {
  let current: StoreUnderTest | undefined
  beforeEach(async () => {
    current = await make()
  })
  afterEach(async () => {
    await current?.[Symbol.asyncDispose]()
  })
  const storage = (): StoreUnderTest => {
    if (!current) throw new Error('the storage is there during a test')
    return current
  }
  return {
    open: (options) => storage().open(options),
    age: (seconds) => storage().age(seconds),
    purge: () => storage().purge(),
    dump: () => storage().dump(),
    [Symbol.asyncDispose]: async () => undefined,
  }
}
