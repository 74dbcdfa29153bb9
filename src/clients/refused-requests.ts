import type { EntityManager, Pool } from '../database/database.ts'
import { ClientRefusal } from '../entities/index.ts'
import type { Logger } from '../logger/logger.ts'
import { seldom } from '../seldom.ts'
import { LACKS, type Lack, type RefusedRequest } from './needed-switch.ts'

const QUIET_MS = 60_000
const MAX_TEXT = 500
const WRITE = {
  name: 'client-refused',
  text: `insert into "client_refusal" ("client_id", "lack", "detail", "first_at", "last_at")
  select "id", $2, $3::jsonb, now(), now() from "client" where "id" = $1
  on conflict ("client_id", "lack") do update set "detail" = excluded."detail", "last_at" = excluded."last_at"`,
}

export interface RefusedRequestsDeps {
  readonly em: EntityManager
  readonly pool: Pool
  readonly logger: Logger
}

export interface KeptRefusal {
  readonly refused: RefusedRequest
  readonly firstAt: Date
  readonly lastAt: Date
}

/**
 * The last refused request of each client for each switch: so many rows, however many requests
 * anybody sends. Written beside the answer, once a minute at most.
 */
export class RefusedRequests implements AsyncDisposable {
  readonly #deps: RefusedRequestsDeps
  readonly #isNew = seldom(QUIET_MS)
  readonly #writing = new Set<Promise<unknown>>()

  constructor(deps: RefusedRequestsDeps) {
    this.#deps = deps
  }

  note(clientId: string, { lack, ...detail }: RefusedRequest): void {
    if (!this.#isNew(`${clientId} ${lack}`)) return
    const values = [clientId, lack, JSON.stringify(detail, short)]
    const writing = this.#deps.pool
      .query({ ...WRITE, values })
      .catch((err: unknown) => {
        this.#deps.logger.warn(
          { event: 'client_refusal.unwritten', clientId, err },
          'for which switch a client was refused cannot be written',
        )
      })
      .finally(() => this.#writing.delete(writing))
    this.#writing.add(writing)
  }

  async flush(): Promise<void> {
    await Promise.all(this.#writing)
  }

  /** The newest first, since that moment. */
  async listOf(clientId: string, since: Date): Promise<KeptRefusal[]> {
    const rows = await this.#deps.em
      .fork()
      .find(
        ClientRefusal,
        { client: clientId, lastAt: { $gt: since }, lack: { $in: [...LACKS] } },
        { orderBy: { lastAt: 'desc' } },
      )
    return rows.map(({ lack, detail, firstAt, lastAt }) => ({
      refused: { ...detail, lack: lack as Lack },
      firstAt,
      lastAt,
    }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush()
  }
}

/** What PostgreSQL can hold, and a terminal can show. */
function short(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/[^!-~]/g, '?').slice(0, MAX_TEXT) : value
}
