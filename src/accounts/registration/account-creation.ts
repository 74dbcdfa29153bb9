import { randomUUID } from 'node:crypto'
import { type Actor, type AuditSink, OPERATOR } from '../../audit/event.ts'
import { LIFETIMES } from '../../config/limits.ts'
import type { EntityManager } from '../../database/database.ts'
import { Account } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import type { Messages } from '../../mail/messages.ts'
import { canonicalEmail } from '../canonical-email.ts'
import type { SignInPolicy } from '../factors/sign-in-policy.ts'
import type { Issued, OneTimeTokens } from '../one-time-tokens.ts'
import { personName } from '../person-name.ts'
import { isLanguageTag } from '../profile-checks.ts'
import { chosenUsername, refusedUsername } from '../usernames.ts'
import { type MadeAccount, makeAccount } from './make-account.ts'
import type { Registration } from './registration.ts'

export interface WantedAccount {
  readonly name: string
  readonly email: string
  /** Absent: the name's, with four characters more if somebody has or had that. */
  readonly username?: string | undefined
  readonly locale?: string | undefined
}

/** No row: the name makes none, or it was given before. */
const FREE = `
select "slug" from "username_slug"(?) as "slug"
where "slug" <> 'user' and not exists (select from "given_username" where "digest" = "username_digest"("slug"))`

export interface AccountCreationDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly registration: Pick<Registration, 'byOperator'>
  readonly messages: Pick<Messages, 'invitations'>
  readonly tokens: Pick<OneTimeTokens, 'issue'>
  readonly policy: Pick<SignInPolicy, 'offers'>
}

export interface CreatedAccount {
  readonly account: Account
  /** Sets the first password, where people sign in by one. */
  readonly linkSecret?: string
}

/** Accounts that the operator makes for people, whose addresses the operator vouches for. */
export class AccountCreation {
  readonly #deps: AccountCreationDeps

  constructor(deps: AccountCreationDeps) {
    this.#deps = deps
  }

  /**
   * Without any way in: its owner is mailed where to make one, unless the link is handed over.
   * Throws `invalid_input` with the reasons by field.
   */
  async create(
    wanted: WantedAccount,
    { isMailed = true, actor = OPERATOR }: { isMailed?: boolean; actor?: Actor } = {},
  ): Promise<CreatedAccount> {
    const em = this.#deps.em.fork()
    const { email, name, locale } = checked(wanted)
    const person = { id: randomUUID(), name, email, locale, passwordHash: null }
    const username =
      wanted.username === undefined
        ? await freeUsername(em, name)
        : await chosenUsername(em, wanted.username)
    try {
      return await this.#make({ ...person, username }, isMailed, actor)
    } catch (cause) {
      if (!(cause instanceof AppError) || cause.code !== 'conflict') throw cause
      if ((await em.count(Account, { email })) > 0)
        throw new AppError('invalid_input', { fields: { email: 'registered_email' }, cause })
      if (wanted.username !== undefined) throw refusedUsername('given_username', cause)
      // Somebody else has got the name since.
      return this.#make(person, isMailed, actor)
    }
  }

  #make(made: MadeAccount, isMailed: boolean, actor: Actor): Promise<CreatedAccount> {
    const { audit, em, messages, registration } = this.#deps
    return em.fork().transactional(async (tx) => {
      const admission = registration.byOperator(tx, made.email)
      const account = await makeAccount(tx, admission, made, 'conflict')
      await audit.append(tx, { type: 'account_created', accountId: made.id, actor })
      const issued = await this.#link(tx, account)
      if (isMailed) {
        const { email: to, name, locale } = account
        const way = issued ?? { page: this.#page() }
        messages.invitations.sendAccount(tx, { to, name, locale: locale ?? undefined, way })
      }
      return { account, ...(issued && { linkSecret: issued.linkSecret }) }
    })
  }

  async #link(tx: EntityManager, account: Account): Promise<Issued | undefined> {
    const { policy, tokens } = this.#deps
    if (!policy.offers('password')) return undefined
    return tokens.issue(tx, {
      purpose: 'reset_password',
      subjectId: account.id,
      address: account.email,
      credentialVersion: account.credentialVersion,
      lifetimeSeconds: LIFETIMES.operatorsLink,
    })
  }

  /** Where an owner without a password begins. */
  #page(): 'signIn' | 'recover' {
    return this.#deps.policy.offers('email-code') ? 'signIn' : 'recover'
  }
}

function checked({ name: typedName, email: typedEmail, locale }: WantedAccount) {
  const [email, name] = [canonicalEmail(typedEmail), personName(typedName)]
  const isLocale = locale === undefined || isLanguageTag(locale)
  if (email && name && isLocale) return { email, name, locale }
  const fields = {
    ...(email ? {} : { email: 'invalid_email' }),
    ...(name ? {} : { name: 'invalid_name' }),
    ...(isLocale ? {} : { locale: 'invalid_locale' }),
  }
  throw new AppError('invalid_input', { fields })
}

async function freeUsername(em: EntityManager, name: string): Promise<string> {
  const [free] = await em.execute<{ slug: string }[]>(FREE, [name])
  return free?.slug ?? ''
}
