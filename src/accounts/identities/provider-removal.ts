import { LockMode } from '@mikro-orm/core'
import { type AuditSink, OPERATOR } from '../../audit/event.ts'
import { osUser } from '../../audit/os-user.ts'
import type { EntityManager } from '../../database/database.ts'
import { Identity, Provider, Session } from '../../entities/index.ts'
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

export interface Removal {
  /** Why it was not done. */
  readonly refusal?: 'has_identities' | 'no_email_code' | undefined
  /** How many there are, or were. */
  readonly identities: number
  readonly people: number
}

/** Takes a provider away, and leaves nobody who came by it without a way in. */
export class ProviderRemoval {
  readonly #deps: ProviderRemovalDeps

  constructor(deps: ProviderRemovalDeps) {
    this.#deps = deps
  }

  /** Throws `not_found`. All or nothing: while it is locked nobody comes by it for the first time. */
  async remove(id: string, { movesPeople }: { readonly movesPeople: boolean }): Promise<Removal> {
    const { em, audit, policy } = this.#deps
    return em.fork().transactional(async (tx) => {
      const lockMode = LockMode.PESSIMISTIC_WRITE
      const provider = await tx.findOne(Provider, { id }, { lockMode })
      if (!provider) throw new AppError('not_found')
      const found = await tx.find(Identity, { provider: id }, { populate: ['account'] })
      const owners = [...new Map(found.map(({ account }) => [account.id, account])).values()]
      const counts = { identities: found.length, people: owners.length }
      if (movesPeople && !policy.offers('email-code'))
        return { refusal: 'no_email_code', ...counts }
      if (found.length > 0 && !movesPeople) return { refusal: 'has_identities', ...counts }
      await tx.nativeDelete(Identity, { provider: id })
      for (const account of owners) {
        await recount(tx, account.id)
        if (account.isActive()) this.#tell(tx, account, provider.name)
      }
      await tx.nativeUpdate(Session, { providerId: id }, { providerId: null, upstreamSid: null })
      await tx.nativeUpdate(Session, { idp: id }, { idp: null, idpSince: null })
      await tx.nativeDelete(Provider, { id })
      await announce(tx, { kind: 'provider', id })
      const detail = { provider: id, ...counts, osUser: osUser() }
      await audit.append(tx, { type: 'provider_deleted', actor: OPERATOR, detail })
      return counts
    })
  }

  #tell(tx: EntityManager, account: Identity['account'], provider: string): void {
    const { email, name, locale } = account
    this.#deps.messages.providers.removed(tx, {
      to: email,
      name,
      locale: locale ?? undefined,
      provider,
    })
  }
}
