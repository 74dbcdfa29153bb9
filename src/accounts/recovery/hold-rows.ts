import type { Actor } from '../../audit/event.ts'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import { LIFETIMES } from '../../config/limits.ts'
import type { EntityManager } from '../../database/database.ts'
import { AppError } from '../../errors.ts'

/** A recovery that waits for its time, or has come to it. */
export interface Hold {
  readonly id: string
  readonly accountId: string
  readonly address: string
  /** When its link opens, and until when. */
  readonly opensAt: Date
  readonly closesAt: Date
}

export interface Beginning {
  readonly seconds: number
  readonly origin?: RequestOrigin | undefined
}

/** The operator stands in for a mailbox: for a link at once, and whatever was called off before. */
export interface ByOperator {
  readonly actor: Actor
  /** Who it was at the machine. */
  readonly user: string
}

/**
 * Two statements of a `with`: a recovery that waits is called off with all that came of it, and none
 * begins for a day. `account`: whose, in SQL. The second has a row if there was one.
 */
export const callingOff = (account: string): string => `
"gone" as (
  delete from "verification_token" where "subject_id" = ${account} and "purpose" in ('recovery_hold', 'recover_grant', 'stop_recovery')
  returning "subject_id", "address", "purpose", "expires_at"
), "called_off" as (
  insert into "verification_token" ("id", "purpose", "subject_id", "address", "attempts", "credential_version", "created_at", "expires_at")
  select gen_random_uuid(), 'recovery_cancelled', "subject_id", "address", 0, 0, now(), now() + ${LIFETIMES.recoveryStopped} * interval '1 second'
  from "gone" where "purpose" = 'recovery_hold' and "expires_at" > now() returning "subject_id"
)`

const CALL_OFF = `with ${callingOff('?')} select from "called_off"`

/** False if none waited. */
export async function callOff(tx: EntityManager, accountId: string): Promise<boolean> {
  return (await tx.execute<unknown[]>(CALL_OFF, [accountId])).length > 0
}

/** What is over makes room; what is not is found by the unique index (one of an account). */
export const MAKE_ROOM = `
delete from "verification_token" where "subject_id" = ? and "purpose" in ('recovery_hold', 'recovery_cancelled') and ("expires_at" <= now() or ?::boolean)`
export const BEGIN = `
insert into "verification_token" ("id", "purpose", "subject_id", "address", "link_digest", "attempts", "credential_version", "created_at", "available_at", "expires_at")
values (?, 'recovery_hold', ?, ?, ?, 0, 0, now(), now() + ?::float8 * interval '1 second', now() + ?::float8 * interval '1 second')
on conflict ("subject_id") where "purpose" in ('recovery_hold', 'recovery_cancelled') do nothing returning "id"`

const COLUMNS = `"id", "subject_id" as "accountId", "address", extract(epoch from "available_at")::float8 * 1000 as "opensMs",
  extract(epoch from "expires_at")::float8 * 1000 as "closesMs"`
const LIVE = `"purpose" = 'recovery_hold' and "expires_at" > now()`
export const FIND = `select ${COLUMNS} from "verification_token" where "subject_id" = ? and ${LIVE}`
export const FIND_OPEN = `select ${COLUMNS} from "verification_token" where "link_digest" = ? and ${LIVE} and "available_at" <= now()`
export const SPEND_OPEN = `delete from "verification_token" where "id" = ? and ${LIVE} and "available_at" <= now() returning "id"`
const BLOCKED = `
select ceil(extract(epoch from "expires_at" - now()))::int as "seconds" from "verification_token"
where "subject_id" = ? and "purpose" = 'recovery_cancelled' and "expires_at" > now()`

type Row = Pick<Hold, 'id' | 'accountId' | 'address'> & { opensMs: number; closesMs: number }

/** The one hold that a statement finds. */
export async function findHold(
  em: EntityManager,
  statement: typeof FIND | typeof FIND_OPEN,
  by: string | Buffer,
): Promise<Hold | undefined> {
  const [row] = await em.execute<Row[]>(statement, [by])
  if (!row) return undefined
  const { opensMs, closesMs, ...rest } = row
  return { ...rest, opensAt: new Date(opensMs), closesAt: new Date(closesMs) }
}

/** Why none begins now. */
export async function blocked(tx: EntityManager, accountId: string): Promise<AppError> {
  const [row] = await tx.execute<{ seconds: number }[]>(BLOCKED, [accountId])
  return new AppError('too_many_requests', { retryAfterSeconds: row?.seconds ?? 1 })
}
