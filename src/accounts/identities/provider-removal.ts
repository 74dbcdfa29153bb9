import { setTimeout as sleep } from 'node:timers/promises'
import { LockMode } from '@mikro-orm/core'
import { type AuditSink, OPERATOR } from '../../audit/event.ts'
import { osUser } from '../../audit/os-user.ts'
import type { EntityManager } from '../../database/database.ts'
import { isContended, isReferenced } from '../../database/faults.ts'
import { Account, Identity, Provider, Session } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import { announce } from '../../feed/changes.ts'
import type { Messages } from '../../mail/messages.ts'
import type { SignInPolicy } from '../factors/sign-in-policy.ts'
import { recount } from '../factors/ways.ts'

export interface ProviderRemovalDeps {
  readonly em: EntityManager
  readonly audit: AuditSink
  readonly messages: Pick<Messages, 'providers'>
  readonly policy: Pick<SignInPolicy, 'offers'>
}

/** How many there are, or were. */
interface Counts {
  readonly identities: number
  readonly people: number
}

export interface Removal extends Counts {
  /** Why it was not done. */
  readonly refusal?: 'has_identities' | 'no_email_code' | 'busy' | undefined
}

const ATTEMPTS = 5
const PAUSE_MS = 100

const COUNT = `
select count(*)::int as "identities", count(distinct "account_id")::int as "people"
from "identity" where "provider_id" = ?`
const LOCK_PROVIDER = 'select 1 from "provider" where "id" = ? for update'
const END_ARRIVALS = 'delete from "upstream_arrival" where "provider_id" = ?'
const LOCK_ARRIVALS = 'select from "upstream_arrival" where "provider_id" = ? for update nowait'

/** Takes a provider away, and leaves nobody who came by it without a way in. */
export class ProviderRemoval {
  readonly #deps: ProviderRemovalDeps

  constructor(deps: ProviderRemovalDeps) {
    this.#deps = deps
  }

  /**
   * Throws `not_found`. All or nothing. Who joins by the provider locks the arrival, the account and
   * then, by the foreign key, the provider; so does this. Where somebody is faster, it begins again.
   */
  async remove(id: string, options: { readonly movesPeople: boolean }): Promise<Removal> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      try {
        return await this.#deps.em.fork().transactional((tx) => this.#remove(tx, id, options))
      } catch (error) {
        if (!isOvertaken(error)) throw error
      }
      await sleep(PAUSE_MS * attempt)
    }
    return { refusal: 'busy', ...(await countsOf(this.#deps.em.fork(), id)) }
  }

  async #remove(
    tx: EntityManager,
    id: string,
    { movesPeople }: { readonly movesPeople: boolean },
  ): Promise<Removal> {
    const { audit, policy } = this.#deps
    const provider = await tx.findOne(Provider, { id })
    if (!provider) throw new AppError('not_found')
    const before = await countsOf(tx, id)
    if (movesPeople && !policy.offers('email-code')) return { refusal: 'no_email_code', ...before }
    if (before.identities > 0 && !movesPeople) return { refusal: 'has_identities', ...before }

    await tx.execute(END_ARRIVALS, [id])
    const counts = movesPeople ? await this.#disconnect(tx, provider) : before
    await tx.nativeUpdate(Session, { providerId: id }, { providerId: null, upstreamSid: null })
    await tx.nativeUpdate(Session, { idp: id }, { idp: null, idpSince: null })
    const [locked] = await tx.execute<unknown[]>(LOCK_PROVIDER, [id])
    if (!locked) throw new AppError('not_found')
    // Who holds one of these waits for the provider next: to wait for them would be a deadlock.
    await tx.execute(LOCK_ARRIVALS, [id])
    await tx.nativeDelete(Provider, { id })
    await announce(tx, { kind: 'provider', id })
    const detail = { provider: id, ...counts, osUser: osUser() }
    await audit.append(tx, { type: 'provider_deleted', actor: OPERATOR, detail })
    return counts
  }

  /** Those who are connected by now; who comes later is refused by the foreign key. */
  async #disconnect(tx: EntityManager, { id, name }: Provider): Promise<Counts> {
    const found = await tx.find(Identity, { provider: id })
    const accounts = await tx.find(
      Account,
      { id: { $in: [...new Set(found.map(({ account }) => account.id))] } },
      { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true },
    )
    const owners = accounts.map((account) => account.id)
    const identities = await tx.nativeDelete(Identity, { provider: id, account: { $in: owners } })
    for (const account of accounts) {
      await recount(tx, account.id)
      if (account.isActive()) this.#tell(tx, account, name)
    }
    return { identities, people: accounts.length }
  }

  #tell(tx: EntityManager, { email, name, locale }: Account, provider: string): void {
    this.#deps.messages.providers.removed(tx, {
      to: email,
      name,
      locale: locale ?? undefined,
      provider,
    })
  }
}

async function countsOf(em: EntityManager, provider: string): Promise<Counts> {
  const [counts] = await em.execute<Counts[]>(COUNT, [provider])
  return counts ?? { identities: 0, people: 0 }
}

/** Somebody joins at this moment, or has since the count. */
function isOvertaken(error: unknown): boolean {
  return isReferenced(error) || isContended(error)
}
