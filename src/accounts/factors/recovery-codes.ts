import type { AuditSink } from '../../audit/event.ts'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import { generateRecoveryCodes, normalizeRecoveryCode } from '../../crypto/recovery-codes.ts'
import { sha256 } from '../../crypto/token.ts'
import type { EntityManager } from '../../database/database.ts'
import { RecoveryCode } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import { lockedAccount } from '../locked-account.ts'
import type { SecurityEvents } from '../security-events.ts'
import { STRONGEST, takesTwoFactors } from './levels.ts'

export interface RecoveryCodesDeps {
  readonly em: EntityManager
  readonly events: SecurityEvents
  readonly audit: AuditSink
}

/** Once, but for the challenge that it answered. */
const SPEND = `
update "recovery_code" set "used_at" = coalesce("used_at", now()), "used_by" = coalesce("used_by", ?::bytea)
where "account_id" = ? and "digest" = ? and ("used_at" is null or "used_by" = ?::bytea)
returning "used_at" = now() as "isFirst"`

/** Codes take the place of a second factor: without one there is nothing that they are good for. */
const DROP_UNNEEDED = `
delete from "recovery_code" where "account_id" = ? and exists (select from "account" where "id" = "account_id" and "strongest" < ${STRONGEST.two})`

/**
 * Ten codes for the day the phone is lost: 80 random bits each, digested with the account as salt,
 * and spent by exactly one caller (TF-09).
 */
export class RecoveryCodes {
  readonly #em: EntityManager
  readonly #events: SecurityEvents
  readonly #audit: AuditSink

  constructor({ em, events, audit }: RecoveryCodesDeps) {
    this.#em = em
    this.#events = events
    this.#audit = audit
  }

  /** New codes, shown this once; the old ones are void, and the owner is told. Throws `mfa_not_enabled`. */
  async regenerate(accountId: string, origin: RequestOrigin): Promise<string[]> {
    return this.#em.fork().transactional(async (tx) => {
      const account = await lockedAccount(tx, accountId)
      if (!takesTwoFactors(account)) throw new AppError('mfa_not_enabled')
      const codes = await this.replace(tx, accountId)
      await this.#events.notify(tx, account, 'recovery_codes_regenerated', origin)
      await this.#audit.append(tx, { type: 'recovery_codes_regenerated', accountId, origin })
      return codes
    })
  }

  /** Makes a new set in the caller's transaction. The old one is void. */
  async replace(em: EntityManager, accountId: string): Promise<string[]> {
    await em.nativeDelete(RecoveryCode, { account: accountId })
    const codes = generateRecoveryCodes()
    codes.forEach((code, position) => {
      em.create(RecoveryCode, {
        account: accountId,
        digest: digest(accountId, normalizeRecoveryCode(code) ?? code),
        position,
      })
    })
    return codes
  }

  /**
   * `first` for the one call that spends the code, `again` for the challenge that has spent it
   * before (`by`).
   */
  async spend(
    tx: EntityManager,
    accountId: string,
    code: string,
    by: Buffer | undefined,
  ): Promise<'first' | 'again' | undefined> {
    const normal = normalizeRecoveryCode(code)
    if (!normal) return undefined
    const parameters = [by ?? null, accountId, digest(accountId, normal), by ?? null]
    const [spent] = await tx.execute<{ isFirst: boolean }[]>(SPEND, parameters)
    return spent && (spent.isFirst ? 'first' : 'again')
  }

  /** When each of the set was used, in order; undefined for those that are left. */
  async uses(accountId: string): Promise<(Date | undefined)[]> {
    const codes = await this.#em
      .fork()
      .find(RecoveryCode, { account: accountId }, { orderBy: { position: 'asc' } })
    return codes.map(({ usedAt }) => usedAt ?? undefined)
  }

  /** After a method was removed and the account counted anew. */
  async dropUnneeded(tx: EntityManager, accountId: string): Promise<void> {
    await tx.execute(DROP_UNNEEDED, [accountId])
  }

  /** Whether one is left, for the caller's transaction. */
  async has(tx: EntityManager, accountId: string): Promise<boolean> {
    return (await tx.count(RecoveryCode, { account: accountId, usedAt: null })) > 0
  }

  async left(accountId: string): Promise<number> {
    return this.#em.fork().count(RecoveryCode, { account: accountId, usedAt: null })
  }
}

function digest(accountId: string, normal: string): Buffer {
  return sha256(`recovery:${accountId}:${normal}`)
}
