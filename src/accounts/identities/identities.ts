import { randomUUID } from 'node:crypto'
import { UniqueConstraintViolationException } from '@mikro-orm/core'
import type { AuditSink } from '../../audit/event.ts'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import { CAPS } from '../../config/limits.ts'
import { databaseNow } from '../../database/clock.ts'
import type { EntityManager } from '../../database/database.ts'
import type { LinkedBy } from '../../entities/identity.ts'
import { Account, Identity } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import type { UpstreamPerson } from '../../upstream/arrivals.ts'
import type { SignInPolicy } from '../factors/sign-in-policy.ts'
import { ensureWayStays, recount } from '../factors/ways.ts'
import { lockedAccount } from '../locked-account.ts'
import { personName } from '../person-name.ts'
import type { SecurityEvents } from '../security-events.ts'
import { UUID } from '../uuid.ts'

export interface IdentitiesDeps {
  readonly em: EntityManager
  readonly audit: AuditSink
  readonly events: SecurityEvents
  readonly policy: SignInPolicy
}

/** Somebody at a provider, for one account. */
export interface Attached {
  readonly providerId: string
  readonly person: UpstreamPerson
  readonly by: LinkedBy
}

/** Who people are at upstream providers: (provider, issuer, subject) names nobody else (UP-01). */
export class Identities {
  readonly #deps: IdentitiesDeps

  constructor(deps: IdentitiesDeps) {
    this.#deps = deps
  }

  list(accountId: string): Promise<Identity[]> {
    return this.#deps.em
      .fork()
      .find(
        Identity,
        { account: accountId },
        { populate: ['provider'], orderBy: { linkedAt: 'asc', id: 'asc' } },
      )
  }

  /**
   * In the transaction of what was proven of both, the account locked. One that the account has
   * already is confirmed: it counts again where a reset has suspended it. Throws `identity_taken`,
   * `conflict` for one too many.
   */
  async attach(
    tx: EntityManager,
    account: Account,
    { providerId, person, by }: Attached,
    origin: RequestOrigin,
  ): Promise<void> {
    const { audit, events } = this.#deps
    const { id: accountId } = account
    const key = { provider: providerId, issuer: person.issuer, subject: person.subject }
    const confirmed = await tx.nativeUpdate(
      Identity,
      { ...key, account: accountId },
      { suspendedAt: null, lastUsedAt: databaseNow() },
    )
    if (confirmed === 0) {
      if ((await tx.count(Identity, { account: accountId })) >= CAPS.identitiesPerAccount)
        throw new AppError('conflict')
      await insert(tx, {
        ...key,
        account: accountId,
        email: person.email?.slice(0, 254) ?? null,
        displayName: personName(person.name ?? '') ?? null,
        linkedBy: by,
      })
    }
    await recount(tx, accountId, { keepsTrust: true })
    await events.notify(tx, account, 'identity_linked', origin)
    const detail = { provider: providerId, by }
    await audit.append(tx, { type: 'identity_linked', accountId, origin, detail })
  }

  /** Throws `not_found`, or `last_way_in`. */
  async remove(accountId: string, identityId: string, origin: RequestOrigin): Promise<void> {
    const { em, audit, events, policy } = this.#deps
    if (!UUID.test(identityId)) throw new AppError('not_found')
    await em.fork().transactional(async (tx) => {
      const account = await lockedAccount(tx, accountId)
      const identity = await tx.findOne(Identity, { id: identityId, account: accountId })
      if (!identity) throw new AppError('not_found')
      await tx.nativeDelete(Identity, { id: identityId })
      await ensureWayStays(tx, accountId, policy)
      await recount(tx, accountId)
      await events.notify(tx, account, 'identity_unlinked', origin)
      const detail = { provider: identity.provider.id }
      await audit.append(tx, { type: 'identity_unlinked', accountId, origin, detail })
    })
  }

  /** Somebody has shown an identity of one account for another: both owners are told. */
  async tellTaken(
    accountId: string,
    { providerId, person }: Omit<Attached, 'by'>,
    origin: RequestOrigin,
  ): Promise<void> {
    const { em, audit, events } = this.#deps
    await em.fork().transactional(async (tx) => {
      const { issuer, subject } = person
      const known = await tx.findOne(
        Identity,
        { provider: providerId, issuer, subject },
        { populate: ['account'] },
      )
      const asking = await tx.findOneOrFail(Account, { id: accountId })
      await events.notify(tx, asking, 'identity_taken', origin)
      if (known?.account.isActive())
        await events.notify(tx, known.account, 'identity_claimed', origin)
      const detail = { provider: providerId, reason: 'taken' }
      await audit.append(tx, {
        type: 'upstream_refused',
        outcome: 'failure',
        accountId,
        origin,
        detail,
      })
    })
  }
}

async function insert(
  tx: EntityManager,
  identity: Pick<Identity, 'issuer' | 'subject' | 'email' | 'displayName' | 'linkedBy'> & {
    readonly account: string
    readonly provider: string
  },
): Promise<void> {
  try {
    await tx.insert(Identity, { ...identity, id: randomUUID(), linkedAt: databaseNow() })
  } catch (cause) {
    if (cause instanceof UniqueConstraintViolationException)
      throw new AppError('identity_taken', { cause })
    throw cause
  }
}
