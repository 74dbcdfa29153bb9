import { type AuditSink, OPERATOR } from '../../audit/event.ts'
import { randomSecret, sha256 } from '../../crypto/token.ts'
import { databaseNow } from '../../database/clock.ts'
import type { EntityManager } from '../../database/database.ts'
import { Account, Invitation } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import type { Messages } from '../../mail/messages.ts'
import type { CanonicalEmail } from '../canonical-email.ts'
import { UUID } from '../uuid.ts'

export interface InvitationsDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly messages: Pick<Messages, 'invitations'>
}

/** Whom it is for, and what it leads to. */
export interface NewInvitation {
  readonly email?: CanonicalEmail | undefined
  /** Otherwise the operator hands the link over. */
  readonly isMailed: boolean
  readonly locale?: string | undefined
  readonly client?: { readonly id: string; readonly name: string } | undefined
  readonly maxUses?: number
  /** How long it is good. */
  readonly seconds: number
}

export interface MadeInvitation {
  readonly id: string
  readonly email: string | null
  /** Handed over by the operator; nothing of a mailed one is shown. */
  readonly link: string | undefined
  readonly expiresAt: Date
}

const USABLE = () => ({ revokedAt: null, expiresAt: { $gt: databaseNow() } }) as const

/** Invitations: made and taken back by the operator, used once by who registers. */
export class Invitations {
  readonly #deps: InvitationsDeps

  constructor(deps: InvitationsDeps) {
    this.#deps = deps
  }

  async create(wanted: NewInvitation): Promise<MadeInvitation> {
    const { audit, em, messages } = this.#deps
    const { email, isMailed, locale, client, maxUses = 1, seconds } = wanted
    const secret = randomSecret()
    return em.fork().transactional(async (tx) => {
      const expiresAt = new Date(Date.now() + seconds * 1000)
      const made = tx.create(Invitation, {
        digest: sha256(secret),
        email: email ?? null,
        isMailed,
        locale: locale ?? null,
        clientId: client?.id ?? null,
        maxUses,
        expiresAt,
      })
      if (email !== undefined && isMailed)
        messages.invitations.send(tx, {
          to: email,
          locale,
          secret,
          expiresAt,
          client: client?.name,
        })
      await tx.flush()
      const detail = { invitation: made.id, isMailed, maxUses }
      await audit.append(tx, { type: 'invitation_created', actor: OPERATOR, detail })
      const link = isMailed ? undefined : messages.invitations.link(secret)
      return { id: made.id, email: made.email ?? null, link, expiresAt }
    })
  }

  /** The newest first. */
  list(): Promise<Invitation[]> {
    return this.#deps.em.fork().find(Invitation, {}, { orderBy: { createdAt: 'desc' } })
  }

  /** Throws `not_found`; `conflict` if nobody could use it any more. */
  async revoke(id: string): Promise<void> {
    const { audit, em } = this.#deps
    if (!UUID.test(id)) throw new AppError('not_found')
    await em.fork().transactional(async (tx) => {
      const revoked = await tx.nativeUpdate(
        Invitation,
        { id, ...USABLE() },
        { revokedAt: new Date() },
      )
      if (revoked === 0)
        throw new AppError((await tx.count(Invitation, { id })) > 0 ? 'conflict' : 'not_found')
      await audit.append(tx, {
        type: 'invitation_revoked',
        actor: OPERATOR,
        detail: { invitation: id },
      })
    })
  }

  /** By the secret of a link, without spending it. Throws `invalid_invitation`. */
  async peek(secret: string): Promise<Invitation> {
    const found = await this.find({ digest: sha256(secret) })
    if (!found) throw new AppError('invalid_invitation')
    return found
  }

  /** One that can still be used. */
  async find(which: { digest: Buffer } | { id: string }): Promise<Invitation | undefined> {
    const found = await this.#deps.em.fork().findOne(Invitation, { ...which, ...USABLE() })
    return found && found.uses < found.maxUses ? found : undefined
  }

  /** Whether the person has come too late, or twice. Told only to who has the mailbox. */
  async isRegistered({ email, isMailed }: Invitation): Promise<boolean> {
    if (!isMailed || email == null) return false
    return (await this.#deps.em.fork().count(Account, { email })) > 0
  }

  /** One use, in the transaction of the account: of two for the last one, one gets it. */
  async spend(tx: EntityManager, id: string, email: CanonicalEmail): Promise<boolean> {
    return (await tx.execute<unknown[]>(SPEND, [id, email])).length === 1
  }
}

const SPEND = `update "invitation" set "uses" = "uses" + 1
where "id" = ? and "uses" < "max_uses" and "revoked_at" is null and "expires_at" > now() and ("email" is null or "email" = ?)
returning "id"`
