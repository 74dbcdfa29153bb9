import type { Cluster, Redis } from 'ioredis'
import type { Logger } from '../logger/logger.ts'

/** It says what it waits for after this. */
const SILENT_MS = 1000
const POLL_MS = 100
/** Waiting does not mend it. */
const REFUSED_CREDENTIALS = 'it refuses the user name or password'

interface Waiting {
  readonly deadline: number
  /** What the connection failed for last, which says more than that a command did. */
  readonly lastError: () => unknown
  readonly addresses: string
  readonly logger: Logger | undefined
}

/** Resolves once Redis answers. Throws its last error at the deadline, and at once what waiting does not mend. */
export async function untilReady(
  client: Redis | Cluster,
  { deadline, lastError, addresses, logger }: Waiting,
): Promise<void> {
  const patient = Date.now() + SILENT_MS
  let isTold = false
  for (;;) {
    try {
      await client.ping()
      return
    } catch (error) {
      const why = reason(lastError() ?? error)
      if (Date.now() > deadline || why === REFUSED_CREDENTIALS) throw error
      if (!isTold && Date.now() > patient) {
        logger?.warn({ event: 'redis.awaited' }, `waiting for the Redis at ${addresses}: ${why}`)
        isTold = true
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }
}

/** Why Redis cannot be used, as half a sentence. */
export function reason(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  if (code === 'ENOTFOUND') return 'the host name does not resolve'
  if (message && /^(?:WRONGPASS|NOAUTH)/.test(message)) return REFUSED_CREDENTIALS
  return message || String(code ?? error)
}
