import { AsyncLocalStorage } from 'node:async_hooks'
import type { RequestOrigin } from './request-origin.ts'

const storage = new AsyncLocalStorage<RequestOrigin>()

/** Everything that `work` leads to is known to come from there. */
export function withOrigin<T>(origin: RequestOrigin, work: () => T): T {
  return storage.run(origin, work)
}

/** Undefined outside requests: in commands and jobs. */
export function currentOrigin(): RequestOrigin | undefined {
  return storage.getStore()
}
