import type { AuditSink } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import { LIFETIMES } from '../config/limits.ts'
import { randomToken, sha256 } from '../crypto/token.ts'
import type { EntityManager, Pool } from '../database/database.ts'
import { Account, KnownDevice } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { type ProvenAccount, stillProven } from './accounts.ts'
import type { SecurityEvents } from './security-events.ts'

/** Of a browser that is back, while what was proven of the account still holds. */
const SEEN = {
  name: 'device-seen',
  text: `
update "known_device" d set "last_seen_at" = now() from "account" a
where d."digest" = $1 and d."account_id" = $2 and a."id" = $2 and ${stillProven('$3', 'a')}`,
}

const DECLINED = {
  name: 'device-passkey-declined',
  text: `
select 1 from "known_device" where "digest" = $1 and "account_id" = $2
  and "passkey_declined_at" > now() - $3::int * interval '1 second'`,
}
const DECLINE = {
  name: 'device-decline-passkey',
  text: 'update "known_device" set "passkey_declined_at" = now() where "digest" = $1 and "account_id" = $2',
}

/** Browsers that an account has signed in from, by a cookie of their own that proves nothing else. */
export class Devices {
  readonly #em: EntityManager
  readonly #pool: Pool
  readonly #events: SecurityEvents
  readonly #audit: AuditSink

  constructor({
    em,
    pool,
    events,
    audit,
  }: { em: EntityManager; pool: Pool; events: SecurityEvents; audit: AuditSink }) {
    this.#em = em
    this.#pool = pool
    this.#events = events
    this.#audit = audit
  }

  /**
   * Remembers the browser of a finished sign-in and returns its cookie. The owner is told of a new
   * one, but for the very first (TF-12). Throws `invalid_credentials` if what was proven of the
   * account does not hold any more (PW-10).
   */
  async arrive(
    proven: ProvenAccount,
    device: string | undefined,
    origin: RequestOrigin,
  ): Promise<string> {
    const { accountId, credentialVersion } = proven
    const value = device ?? randomToken()
    const digest = sha256(value)
    if (
      device &&
      (await this.#pool.query({ ...SEEN, values: [digest, accountId, credentialVersion] })).rowCount
    )
      return value
    const isTold = await this.#em.fork().transactional(async (tx) => {
      const account = await tx.findOne(Account, {
        id: accountId,
        status: 'active',
        credentialVersion,
        mustResetPassword: false,
      })
      if (!account) throw new AppError('invalid_credentials')
      const hasOthers = (await tx.count(KnownDevice, { account: accountId })) > 0
      await tx.upsert(KnownDevice, {
        digest,
        account: accountId,
        createdAt: new Date(),
        lastSeenAt: new Date(),
      })
      if (hasOthers) await this.#events.notify(tx, account, 'new_device', origin)
      return hasOthers
    })
    if (isTold) this.#audit.record({ type: 'new_device', accountId, origin })
    return value
  }

  /** A passkey was offered here, and the person did not want one. */
  async declinePasskey(accountId: string, device: string): Promise<void> {
    await this.#pool.query({ ...DECLINE, values: [sha256(device), accountId] })
  }

  async hasDeclinedPasskey(accountId: string, device: string | undefined): Promise<boolean> {
    if (!device) return false
    const values = [sha256(device), accountId, LIFETIMES.passkeyDeclined]
    return (await this.#pool.query({ ...DECLINED, values })).rowCount === 1
  }
}
