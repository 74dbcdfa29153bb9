import type { AuditSink } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import { randomToken, sha256 } from '../crypto/token.ts'
import type { EntityManager } from '../database.ts'
import { Account, KnownDevice } from '../entities/index.ts'
import type { CanonicalEmail } from './canonical-email.ts'
import type { SecurityEvents } from './security-events.ts'

/** Browsers that an account has signed in from, by a cookie of their own that proves nothing else. */
export class Devices {
  readonly #em: EntityManager
  readonly #events: SecurityEvents
  readonly #audit: AuditSink

  constructor({ em, events, audit }: { em: EntityManager; events: SecurityEvents; audit: AuditSink }) {
    this.#em = em
    this.#events = events
    this.#audit = audit
  }

  /** Asked by address, so that it need not wait for the account to be found. */
  async isKnown(email: CanonicalEmail, device: string): Promise<boolean> {
    return (await this.#em.fork().count(KnownDevice, { digest: sha256(device), account: { email } })) > 0
  }

  /** Remembers the browser of a finished sign-in and returns its cookie. The owner is told of a new one, but for the very first (TF-12). */
  async arrive(accountId: string, device: string | undefined, origin: RequestOrigin): Promise<string> {
    const value = device ?? randomToken()
    const digest = sha256(value)
    const em = this.#em.fork()
    const isKnown = device && (await em.nativeUpdate(KnownDevice, { digest, account: accountId }, { lastSeenAt: new Date() })) > 0
    if (isKnown) return value
    const isTold = await em.transactional(async (tx) => {
      const hasOthers = (await tx.count(KnownDevice, { account: accountId })) > 0
      await tx.upsert(KnownDevice, { digest, account: accountId, createdAt: new Date(), lastSeenAt: new Date() })
      if (!hasOthers) return false
      await this.#events.notify(tx, await tx.findOneOrFail(Account, { id: accountId }), 'new_device', origin)
      return true
    })
    if (isTold) this.#audit.record({ type: 'new_device', accountId, origin })
    return value
  }
}
