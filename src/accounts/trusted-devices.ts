import type { AuditSink } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import { randomToken, sha256 } from '../crypto/token.ts'
import { databaseNow } from '../database/clock.ts'
import type { EntityManager, Pool } from '../database/database.ts'
import { Account, KnownDevice } from '../entities/index.ts'
import { DISTRUST, trustHolds } from '../entities/known-device.ts'
import type { ProvenAccount } from './accounts.ts'
import { levelOf } from './factors/levels.ts'
import type { Method } from './factors/method.ts'
import type { SignInPolicy } from './factors/sign-in-policy.ts'
import type { SecurityEvents } from './security-events.ts'

const FIND = {
  name: 'trusted-device-find',
  text: `select from "account" where "id" = $2 and ${trustHolds('$1', '$2', '"credential_version"')}`,
}
const OPENED = {
  name: 'trusted-device-opened',
  text: `
select from "session" s join "account" a on a."id" = s."account_id"
where s."id" = $1 and ${trustHolds('s."trusted_device"', 'a."id"', 'a."credential_version"')}`,
}
const RENEW = 'update "known_device" set "digest" = ? where "digest" = ?'
const TRUST = `
update "known_device" set "trusted_until" = now() + ?::int * interval '1 day', "trusted_version" = ?, "trusted_agent" = ?
where "digest" = ? and "account_id" = ?`
const END = {
  name: 'trusted-device-end',
  text: `update "known_device" set ${DISTRUST} where "digest" = $1 and "account_id" = $2 and "trusted_until" > now()`,
}

export interface TrustedDevice {
  /** Of the list only: it opens nothing. */
  readonly id: string
  readonly userAgent: string | undefined
  readonly until: Date
}

/** What a sign-in has shown of its account. */
interface ShownSignIn extends ProvenAccount {
  readonly proofs: readonly Method[]
}

export interface TrustedDevicesDeps {
  readonly em: EntityManager
  readonly pool: Pool
  readonly events: SecurityEvents
  readonly audit: AuditSink
  readonly policy: SignInPolicy
}

/**
 * Browsers that skip the second step because their owner wants it (TF-07). The trust is in a row of
 * the account and in the device's cookie; it ends by itself, with the credentials, with any change
 * of the ways in, and with the end of all sessions.
 */
export class TrustedDevices {
  readonly #deps: TrustedDevicesDeps

  constructor(deps: TrustedDevicesDeps) {
    this.#deps = deps
  }

  /** How the device is named to the session that it opens; undefined if it is not trusted. */
  async find(accountId: string, device: string | undefined): Promise<string | undefined> {
    const { pool, policy } = this.#deps
    if (!device || policy.trustedDeviceDays === 0) return undefined
    const digest = sha256(device)
    const { rowCount } = await pool.query({ ...FIND, values: [digest, accountId] })
    return rowCount ? digest.toString('base64url') : undefined
  }

  /** Whether the trust that a session was opened with still holds. */
  async opened(sessionId: string): Promise<boolean> {
    return (await this.#deps.pool.query({ ...OPENED, values: [sessionId] })).rowCount === 1
  }

  /**
   * Trusts the browser of a sign-in that showed two factors, and no other: a recovery code adds
   * none. Returns its cookie, which is a new one then: what somebody has put there or copied before
   * is not trusted.
   */
  async add(proven: ShownSignIn, device: string, origin: RequestOrigin): Promise<string> {
    const { em, events, audit, policy } = this.#deps
    const { accountId, proofs, credentialVersion } = proven
    const { trustedDeviceDays: days } = policy
    if (days === 0 || levelOf(proofs).factors < 2) return device
    const renewed = randomToken()
    const agent = origin.userAgent.slice(0, 512)
    const isTrusted = await em.fork().transactional(async (tx) => {
      const account = await tx.findOne(Account, { id: accountId, credentialVersion })
      if (!account) return false
      const digest = sha256(renewed)
      await tx.execute(RENEW, [digest, sha256(device)])
      await tx.execute(TRUST, [days, credentialVersion, agent, digest, accountId])
      await events.notify(tx, account, 'device_trusted', origin)
      await audit.append(tx, { type: 'device_trusted', accountId, origin, detail: { days } })
      return true
    })
    return isTrusted ? renewed : device
  }

  /** Those whose trust holds, the newest first. */
  async list(account: Pick<Account, 'id' | 'credentialVersion'>): Promise<TrustedDevice[]> {
    if (this.#deps.policy.trustedDeviceDays === 0) return []
    const rows = await this.#deps.em.fork().find(
      KnownDevice,
      {
        account: account.id,
        trustedVersion: account.credentialVersion,
        trustedUntil: { $gt: databaseNow() },
      },
      { orderBy: { trustedUntil: 'desc' }, populate: ['digest'] },
    )
    return rows.flatMap(({ digest, trustedAgent, trustedUntil }) =>
      trustedUntil
        ? [
            {
              id: Buffer.from(digest).toString('base64url'),
              userAgent: trustedAgent ?? undefined,
              until: trustedUntil,
            },
          ]
        : [],
    )
  }

  /** Ends the trust in one of the account's devices; an id of no such device ends nothing. */
  async end(accountId: string, id: string, origin: RequestOrigin): Promise<void> {
    const { pool, audit } = this.#deps
    const values = [Buffer.from(id, 'base64url'), accountId]
    if ((await pool.query({ ...END, values })).rowCount)
      audit.record({ type: 'device_untrusted', accountId, origin })
  }
}
