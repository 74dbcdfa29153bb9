import type { AuditRecord, AuditSink } from '../../audit/event.ts'
import { CAPS } from '../../config/limits.ts'
import { sha256 } from '../../crypto/token.ts'
import type { EntityManager, Pool } from '../../database/database.ts'
import { AttemptCounter } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'

export type Factor = 'password' | 'otp' | 'mailed-code'

/** One attempt that has been counted and waits for its outcome. */
export interface Reservation {
  /**
   * The attempt succeeded: this factor's count starts again at zero (RL-08), with what it succeeded
   * for if that is a transaction.
   */
  succeed(tx?: EntityManager): Promise<void>
  /** The attempt failed: the count stays. */
  fail(): void
  /** The attempt was never judged (database down, hash queue full): it does not count (RL-07). */
  release(): Promise<void>
}

/**
 * Password: free tries, then a delay that doubles; after the absolute cap only a reset helps. Who
 * has to ask something first does it in the same round trip: the key of the subject may be a column
 * of `from`. No row: the subject is blocked.
 */
export const countPassword = (key: string, from = ''): string => `
insert into "attempt_counter" as c ("subject", "factor", "failures", "window_started_at", "updated_at") select ${key}, 'password', 1, now(), now() ${from}
on conflict ("subject", "factor") do update set
  "failures" = c."failures" + 1,
  "updated_at" = now(),
  "blocked_until" = case
    when c."failures" + 1 >= ${CAPS.passwordFailuresAbsolute} then 'infinity'
    when c."failures" + 1 >= ${CAPS.passwordFailures}
      then now() + least(${CAPS.lockoutMaxSeconds}, ${CAPS.lockoutFirstSeconds} * 2 ^ least(c."failures" + 1 - ${CAPS.passwordFailures}, 12)) * interval '1 second'
    end
where c."blocked_until" is null or c."blocked_until" <= now()
returning "failures"`
const RESERVE_PASSWORD = { name: 'attempt-reserve-password', text: countPassword('$1::bytea') }

/** How many may fail; codes: in a window of so many seconds, 0: what `countPassword` says. */
const FAILURES: Readonly<Record<Factor, { readonly max: number; readonly seconds: number }>> = {
  password: { max: CAPS.passwordFailures, seconds: 0 },
  otp: { max: CAPS.codeFailures, seconds: CAPS.codeWindowSeconds },
  'mailed-code': { max: CAPS.boundCodesPerHour, seconds: 3600 },
}

/** One-time codes: a fixed number of failures in a window (RL-06). */
const reserveCode = (factor: Factor, { max, seconds } = FAILURES[factor]) => ({
  name: `attempt-reserve-${factor}`,
  text: `
insert into "attempt_counter" as c ("subject", "factor", "failures", "window_started_at", "updated_at") values ($1, '${factor}', 1, now(), now())
on conflict ("subject", "factor") do update set
  "failures" = case when c."window_started_at" <= now() - ${seconds} * interval '1 second' then 1 else c."failures" + 1 end,
  "window_started_at" = case when c."window_started_at" <= now() - ${seconds} * interval '1 second' then now() else c."window_started_at" end,
  "updated_at" = now()
where c."failures" < ${max} or c."window_started_at" <= now() - ${seconds} * interval '1 second'
returning "failures"`,
})
const RESERVE = {
  password: RESERVE_PASSWORD,
  otp: reserveCode('otp'),
  'mailed-code': reserveCode('mailed-code'),
}

const CLEAR = {
  name: 'attempt-clear',
  text: 'delete from "attempt_counter" where "subject" = $1 and "factor" = $2',
}
const RELEASE = {
  name: 'attempt-release',
  text: `
update "attempt_counter" set "failures" = greatest("failures" - 1, 0), "blocked_until" = null where "subject" = $1 and "factor" = $2`,
}

const WAIT = {
  name: 'attempt-wait',
  text: `
select ceil(extract(epoch from greatest(
  case when "blocked_until" = 'infinity' then now() + interval '1 hour' else "blocked_until" end,
  "window_started_at" + $3::int * interval '1 second') - now()))::int as "seconds"
from "attempt_counter" where "subject" = $1 and "factor" = $2`,
}

/**
 * The ledger of failed attempts: counted before the check and outside its transaction, so that
 * neither parallel tries nor a rollback get a try for free (RL-01, RL-02). Subjects are digests of
 * what is guarded, whether or not it exists (EN-01).
 */
export class Attempts {
  readonly #pool: Pool
  readonly #audit: AuditSink

  constructor({ pool, audit }: { readonly pool: Pool; readonly audit: AuditSink }) {
    this.#pool = pool
    this.#audit = audit
  }

  /**
   * `tried`: what the audit trail is told when the attempt fails, or is not even judged. Throws
   * `too_many_requests` when the subject is blocked.
   */
  async reserve(subject: string, factor: Factor, tried: AuditRecord): Promise<Reservation> {
    const { rows } = await this.#pool.query<{ failures: number }>({
      ...RESERVE[factor],
      values: [keyOf(subject)],
    })
    return this.reserved(subject, factor, rows[0]?.failures, tried)
  }

  /** The same where the count is known already; without one the subject is blocked. */
  async reserved(
    subject: string,
    factor: Factor,
    failures: number | undefined,
    tried: AuditRecord,
  ): Promise<Reservation> {
    const key = keyOf(subject)
    if (failures === undefined) {
      this.#audit.record({
        ...tried,
        outcome: 'failure',
        detail: { ...tried.detail, reason: 'blocked' },
      })
      throw new AppError('too_many_requests', { retryAfterSeconds: await this.#wait(key, factor) })
    }
    const isLast = failures >= FAILURES[factor].max
    return {
      succeed: (tx) => this.#clear(key, factor, tx),
      fail: () => {
        this.#audit.record({ ...tried, outcome: 'failure' })
        if (isLast) this.#audit.record({ ...tried, type: 'lockout', detail: { factor, failures } })
      },
      release: () => this.#release(key, factor),
    }
  }

  /** Counts one more try at a code; false when the subject has had all of its window. */
  async admits(subject: string, factor: Factor = 'otp'): Promise<boolean> {
    return (await this.#pool.query({ ...RESERVE[factor], values: [keyOf(subject)] })).rowCount === 1
  }

  /** For a mailed code that was right. */
  async takeBack(subject: string): Promise<void> {
    await this.#release(keyOf(subject), 'mailed-code')
  }

  /** Forgets the failures of a subject with what proves more than a password does: a reset (RL-03). */
  async clear(em: EntityManager, subject: string, factor: Factor): Promise<void> {
    await em.nativeDelete(AttemptCounter, { subject: keyOf(subject), factor })
  }

  async #clear(key: Buffer, factor: Factor, tx?: EntityManager): Promise<void> {
    if (tx) await tx.nativeDelete(AttemptCounter, { subject: key, factor })
    else await this.#pool.query({ ...CLEAR, values: [key, factor] })
  }

  async #release(key: Buffer, factor: Factor): Promise<void> {
    await this.#pool.query({ ...RELEASE, values: [key, factor] })
  }

  async #wait(key: Buffer, factor: Factor): Promise<number> {
    const { rows } = await this.#pool.query<{ seconds: number | null }>({
      ...WAIT,
      values: [key, factor, FAILURES[factor].seconds],
    })
    return Math.max(1, rows[0]?.seconds ?? 1)
  }
}

export function keyOf(subject: string): Buffer {
  return sha256(subject)
}

/**
 * Runs a check under a reservation: `true` clears the count, `false` leaves the failure, an
 * exception or `undefined` gives the try back.
 */
export async function attempt<T extends boolean | undefined>(
  reservation: Reservation,
  check: () => Promise<T>,
): Promise<T> {
  let passed: T
  try {
    passed = await check()
  } catch (error) {
    await reservation.release().catch(() => undefined)
    throw error
  }
  if (passed === undefined) await reservation.release()
  else if (passed) await reservation.succeed()
  else reservation.fail()
  return passed
}
