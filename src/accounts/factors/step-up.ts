import type { RequestOrigin } from '../../audit/request-origin.ts'
import { LIFETIMES } from '../../config/limits.ts'
import { sha256 } from '../../crypto/token.ts'
import type { EntityManager, Pool } from '../../database/database.ts'
import { Account } from '../../entities/index.ts'
import { AppError, noneIfRefused } from '../../errors.ts'
import type { Messages } from '../../mail/messages.ts'
import type { Issue, OneTimeTokens, RightCode, TypedCode } from '../one-time-tokens.ts'
import type { Passwords } from '../passwords/passwords.ts'
import { isFresh, type Shown } from '../sessions/session-level.ts'
import { type Attempts, attempt } from './attempts.ts'
import { otpSubject } from './counter-subjects.ts'
import { STRONGEST, takesTwoFactors } from './levels.ts'
import type { Presented } from './passkeys/assertions.ts'
import type { Passkeys } from './passkeys/passkeys.ts'
import type { SecondStep } from './second-step.ts'
import { isProven, prove, type SessionOfClient } from './session-proofs.ts'

/** Who calls the account API: a client within a session. */
export interface Caller extends Shown, SessionOfClient {
  readonly accountId: string
  /** The session was opened at the account API, by this client. */
  readonly isOwnSignIn: boolean
}

export interface StepUpDeps {
  readonly em: EntityManager
  readonly pool: Pool
  readonly attempts: Attempts
  readonly tokens: OneTimeTokens
  readonly messages: Messages
  readonly passkeys: Passkeys
  readonly passwords: Passwords
  readonly secondStep: SecondStep
}

/**
 * The fresh proof that sensitive calls ask for (SE-10). Who merely holds a token has none: a
 * sign-in to an app says nothing about what the app does with it later. It is made at the account
 * API itself, and counts for one client of one session.
 */
export class StepUp {
  readonly #deps: StepUpDeps

  constructor(deps: StepUpDeps) {
    this.#deps = deps
  }

  /**
   * A password that is sent is always checked, and is enough where there is no second factor.
   * Throws `reauthentication_required`.
   */
  async require(caller: Caller, password?: string): Promise<void> {
    if (password !== undefined) {
      await this.#deps.passwords.prove(caller.accountId, password)
      if (!takesTwoFactors(caller)) return
    }
    if (!(caller.isOwnSignIn && isFresh(caller)) && !(await isProven(this.#deps.pool, caller)))
      throw new AppError('reauthentication_required')
  }

  /**
   * For the call that ends what such a proof began: a second factor that was added since is to be
   * shown, too (PK-06). Throws `reauthentication_required`.
   */
  async requireStill(caller: Caller): Promise<void> {
    if (takesTwoFactors(caller)) await this.require(caller)
  }

  /** Throws `mfa_required` where a second factor is asked for instead, or `invalid_credentials`. */
  async byPassword(caller: Caller, password: string): Promise<void> {
    if (takesTwoFactors(caller)) throw await this.#secondFactorWanted(caller)
    await this.#deps.passwords.prove(caller.accountId, password)
    await prove(this.#deps.em.fork(), caller, STRONGEST.one)
  }

  /** By a code of the app or a recovery code. Throws `invalid_code`. */
  async byCode(caller: Caller, code: string, origin: RequestOrigin): Promise<void> {
    await this.#deps.secondStep.verify(caller.accountId, code, origin, (tx) =>
      prove(tx, caller, STRONGEST.two),
    )
  }

  /** By one of the account's own passkeys. Throws as `Passkeys.proveSecond` does. */
  async byPasskey(
    caller: Caller,
    presented: Omit<Presented, 'accountId'>,
    origin: RequestOrigin,
  ): Promise<void> {
    const { accountId } = caller
    await this.#deps.passkeys.proveSecond({ ...presented, accountId }, origin, (tx) =>
      prove(tx, caller, STRONGEST.two),
    )
  }

  /**
   * For an account that has neither: a code to its address. Throws `mfa_required`, or
   * `invalid_credentials` where the password is asked for.
   */
  async mailCode(
    caller: Caller,
    origin: RequestOrigin,
  ): Promise<{ tokenId: string; expiresInSeconds: number }> {
    const { em, tokens, messages } = this.#deps
    const { id, email, name, locale, credentialVersion } = await this.#loadBare(caller)
    const issue: Issue = {
      purpose: 'step_up',
      subjectId: id,
      address: bindingOf(caller),
      credentialVersion,
    }
    return em.fork().transactional(async (tx) => {
      const issued = await messages.codeAlone(tx, 'prove-identity', {
        to: email,
        name,
        locale: locale ?? undefined,
        origin,
        asker: `account:${id}`,
        issued: () => tokens.issue(tx, issue),
      })
      const { tokenId } = issued ?? (await tokens.openPage(tx, issue))
      return { tokenId, expiresInSeconds: LIFETIMES.code }
    })
  }

  /** Only for the client and session that asked for it. Throws `invalid_code`. */
  async byMailedCode(
    caller: Caller,
    { tokenId, code }: { tokenId: string; code: string },
    origin: RequestOrigin,
  ): Promise<void> {
    const { em, attempts, tokens } = this.#deps
    const { id: accountId, credentialVersion } = await this.#loadBare(caller)
    const typed: TypedCode = {
      tokenId,
      purpose: 'step_up',
      code,
      address: bindingOf(caller),
      subjectId: accountId,
    }
    let right: RightCode | undefined
    await attempt(
      await attempts.reserve(otpSubject(accountId), 'otp', {
        type: 'second_factor',
        accountId,
        origin,
      }),
      async () => {
        right = await tokens.judge(typed).catch(noneIfRefused)
        return right !== undefined
      },
    )
    const found = right
    if (found?.proof.credentialVersion !== credentialVersion) throw new AppError('invalid_code')
    await em.fork().transactional(async (tx) => {
      await tokens.spend(tx, found)
      await prove(tx, caller, STRONGEST.one)
    })
  }

  async #loadBare(caller: Caller): Promise<Account> {
    if (takesTwoFactors(caller)) throw await this.#secondFactorWanted(caller)
    const account = await this.#deps.em
      .fork()
      .findOneOrFail(Account, { id: caller.accountId }, { populate: ['passwordHash'] })
    if (account.passwordHash != null) throw new AppError('invalid_credentials')
    return account
  }

  async #secondFactorWanted({ accountId }: Caller): Promise<AppError> {
    const methods = await this.#deps.secondStep.methodsForApps(accountId)
    return new AppError('mfa_required', { extra: { methods } })
  }
}

/**
 * In the place of an address: a code is good for nobody else, not even for another app of the same
 * person.
 */
function bindingOf({ sessionId, clientId }: Caller): string {
  return sha256(`step-up:${sessionId}:${clientId}`).toString('base64url')
}
