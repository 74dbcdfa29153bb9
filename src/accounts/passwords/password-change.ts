import type { RequestOrigin } from '../../audit/request-origin.ts'
import { LIFETIMES } from '../../config/limits.ts'
import type { EntityManager } from '../../database/database.ts'
import { Account } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import type { Messages } from '../../mail/messages.ts'
import { canonicalEmail } from '../canonical-email.ts'
import type { MfaChallenges } from '../factors/challenges.ts'
import { takesTwoFactors } from '../factors/levels.ts'
import type { SecondStep } from '../factors/second-step.ts'
import type { Issue, OneTimeTokens } from '../one-time-tokens.ts'
import type { PasswordContext, PasswordFault } from './password-policy.ts'
import type { Passwords, Replacement } from './passwords.ts'

export interface PasswordChangeDeps {
  readonly em: EntityManager
  readonly tokens: OneTimeTokens
  readonly challenges: MfaChallenges
  readonly secondStep: SecondStep
  readonly messages: Messages
  readonly passwords: Passwords
}

export interface StartedChange {
  readonly tokenId: string
  /** Where the code comes from: the mailbox, or the authenticator app of an account that has one. */
  readonly method: 'email' | 'totp'
  readonly expiresInSeconds: number
}

/** Throws `reauthentication_required` unless the session has shown all factors just now. */
export type RequireFresh = () => Promise<void>

const BINDING = 'change_password'

/**
 * Changing the password from inside: the current one first, then a code together with the new one
 * (PW-09). A second factor that gives no code is shown beforehand.
 */
export class PasswordChange {
  readonly #deps: PasswordChangeDeps

  constructor(deps: PasswordChangeDeps) {
    this.#deps = deps
  }

  /** Throws `invalid_credentials` when the current password is wrong. */
  async start(
    accountId: string,
    currentPassword: string,
    origin: RequestOrigin,
    requireFresh: RequireFresh,
  ): Promise<StartedChange> {
    const { em, tokens, challenges, messages, passwords } = this.#deps
    const account = await passwords.prove(accountId, currentPassword)
    if (account.mfaEnabled) {
      const { challenge, expiresInSeconds } = await challenges.issue(accountId, BINDING)
      return { tokenId: challenge, method: 'totp', expiresInSeconds }
    }
    if (takesTwoFactors(account)) await requireFresh()
    const { email: address, credentialVersion } = account
    const issue: Issue = {
      purpose: 'change_password',
      subjectId: accountId,
      address,
      credentialVersion,
    }
    return em.fork().transactional(async (tx) => {
      const issued = await messages.codeAlone(tx, 'change-password', {
        to: account.email,
        name: account.name,
        locale: account.locale ?? undefined,
        origin,
        asker: `account:${accountId}`,
        issued: () => tokens.issue(tx, issue),
      })
      const { tokenId } = issued ?? (await tokens.openPage(tx, issue))
      return { tokenId, method: 'email' as const, expiresInSeconds: LIFETIMES.code }
    })
  }

  faultOf(account: Account, password: string): PasswordFault | undefined {
    return this.#deps.passwords.faultOf(password, contextOf(account))
  }

  /** Every other session ends, this one stays. Throws `invalid_code` or `password_rejected`. */
  async complete(
    {
      accountId,
      sessionId,
      email: submitted,
      tokenId,
      code,
      password,
    }: {
      accountId: string
      sessionId: string
      email: string
      tokenId: string
      code: string
      password: string
    },
    origin: RequestOrigin,
    requireFresh: RequireFresh,
  ): Promise<Account> {
    const { em, passwords, secondStep } = this.#deps
    const account = await em.fork().findOneOrFail(Account, { id: accountId })
    if (canonicalEmail(submitted) !== account.email) throw new AppError('invalid_code')
    passwords.check(password, contextOf(account))
    const passwordHash = await passwords.hash(password)
    const proof = { credentialVersion: account.credentialVersion, refusal: 'invalid_code' } as const
    const set = (spend?: Replacement['spend']) =>
      passwords.set(accountId, passwordHash, { exceptSessionId: sessionId, proof, spend, origin })
    if (!account.mfaEnabled) {
      if (takesTwoFactors(account)) await requireFresh()
      return set(await this.#prove(account, tokenId, code))
    }
    return secondStep.answer(
      { challenge: tokenId, binding: BINDING, code },
      origin,
      async (proven) => {
        if (proven.accountId !== account.id) throw new AppError('invalid_code')
        return set()
      },
    )
  }

  /** How the proof is spent with the change. */
  async #prove(account: Account, tokenId: string, code: string): Promise<Replacement['spend']> {
    const { tokens } = this.#deps
    const typed = {
      tokenId,
      purpose: 'change_password',
      code,
      address: account.email,
      subjectId: account.id,
    } as const
    const right = await tokens.judge(typed)
    if (right.proof.credentialVersion !== account.credentialVersion)
      throw new AppError('invalid_code')
    return (tx) => tokens.spend(tx, right)
  }
}

function contextOf(account: Account): PasswordContext {
  const { email, name } = account
  return { email, name, hasMfa: takesTwoFactors(account) }
}
