import { afterAll, beforeAll } from '@jest/globals'
import { startApi } from './api.ts'
import { type ServerOptions, startServer, type TestServer } from './server.ts'

/**
 * A server that runs while the tests of a file do, or those of a `describe`. Call it once at the
 * top of either; it may be asked for anything from its `beforeAll` on.
 */
export function useServer(
  options: ServerOptions = {},
  start: (options: ServerOptions) => Promise<TestServer> = startServer,
): TestServer {
  let started: TestServer | undefined
  beforeAll(async () => {
    started = await start(options)
  })
  afterAll(() => started?.stop())
  const running = (): TestServer => {
    if (!started) throw new Error('The server has not started yet')
    return started
  }
  return {
    get origin() {
      return running().origin
    },
    get address() {
      return running().address
    },
    get config() {
      return running().config
    },
    get redis() {
      return running().redis
    },
    get context() {
      return running().context
    },
    get inbox() {
      return running().inbox
    },
    stop: () => running().stop(),
    [Symbol.asyncDispose]: () => running().stop(),
  }
}

/** One that believes the address in front of it. */
export const useApi = (options: ServerOptions = {}): TestServer => useServer(options, startApi)
