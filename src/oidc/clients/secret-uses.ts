import { BoundedMap } from '../../bounded-map.ts'
import type { Pool } from '../../database/database.ts'
import type { Logger } from '../../logger/logger.ts'

const HOUR_MS = 3_600_000
const WAIT_MS = 5000
const MAX_SECRETS = 50_000
const WRITE = {
  name: 'client-secret-uses',
  text: `
update "client_secret" as s set "last_used_at" = u."at" from unnest($1::uuid[], $2::timestamptz[]) as u("id", "at")
where s."id" = u."id" and (s."last_used_at" is null or s."last_used_at" < u."at")`,
}

/** When client secrets were last used, written behind the answers: once an hour for each. */
export class SecretUses implements AsyncDisposable {
  readonly #pool: Pool
  readonly #logger: Logger
  readonly #told = new BoundedMap<number>(MAX_SECRETS)
  readonly #due = new BoundedMap<Date>(MAX_SECRETS)
  #timer: NodeJS.Timeout | undefined

  constructor({ pool, logger }: { pool: Pool; logger: Logger }) {
    this.#pool = pool
    this.#logger = logger
  }

  used(id: string): void {
    const now = Date.now()
    if (now - (this.#told.get(id) ?? 0) < HOUR_MS) return
    this.#told.set(id, now)
    this.#due.set(id, new Date(now))
    this.#timer ??= setTimeout(() => void this.flush(), WAIT_MS).unref()
  }

  /** Never rejects: what cannot be written is told, and left to the next use. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const due = [...this.#due]
    this.#due.clear()
    if (due.length === 0) return
    const [ids, times] = [due.map(([id]) => id), due.map(([, at]) => at)]
    await this.#pool.query({ ...WRITE, values: [ids, times] }).catch((err: unknown) => {
      for (const id of ids) this.#told.delete(id)
      this.#logger.warn(
        { event: 'client_secret.uses_unwritten', err },
        'when secrets of clients were last used cannot be written',
      )
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush()
  }
}
