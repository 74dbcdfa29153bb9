import type { RequestOrigin } from '../../audit/request-origin.ts'
import type { EntityManager } from '../../database/database.ts'
import { Account } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import { canonicalEmail } from '../canonical-email.ts'
import type { KeepLinks } from '../keep-links.ts'
import { type MfaChallenges, nameOf } from './challenges.ts'
import type { Method } from './method.ts'
import type { SecondFactorProofs } from './second-factor-proofs.ts'

export interface SecondStepDeps {
  readonly em: EntityManager
  readonly challenges: MfaChallenges
  readonly proofs: SecondFactorProofs
  readonly keepLinks: KeepLinks
}

/** Both steps of a sign-in. */
export interface SecondFactor {
  readonly accountId: string
  readonly proofs: readonly Method[]
  /** Of the account when its factors were proven. */
  readonly credentialVersion: number
}

/** The second step of a sign-in: a code of the app, or a recovery code. */
export class SecondStep {
  readonly #deps: SecondStepDeps

  constructor(deps: SecondStepDeps) {
    this.#deps = deps
  }

  /**
   * Answers a challenge with a one-time or a recovery code, and goes on to what it is answered for;
   * each is good once. If that breaks, the same code may answer the same challenge again. `email`,
   * if given, must be the account's. Throws `invalid_code`, `too_many_requests`, or
   * `invalid_credentials` for an account that is closed.
   */
  async answer<T>(
    {
      challenge,
      binding,
      code,
      email,
    }: { challenge: string; binding: string; code: string; email?: string | undefined },
    origin: RequestOrigin,
    goOn: (proven: SecondFactor) => Promise<T>,
  ): Promise<T> {
    const { em, challenges, proofs, keepLinks } = this.#deps
    const { accountId, firstStep } = await challenges.tryOnce(challenge, binding)
    const account = await em.fork().findOneOrFail(Account, { id: accountId })
    if (email !== undefined && canonicalEmail(email) !== account.email)
      throw new AppError('invalid_code')
    const proof = { accountId, code, origin, by: nameOf(challenge) }
    const method = await proofs.prove(proof, (tx) => challenges.spend(tx, challenge))
    try {
      if (!account.isActive()) return await keepLinks.refuse(accountId, origin)
      return await goOn({
        accountId,
        proofs: [...firstStep, method],
        credentialVersion: account.credentialVersion,
      })
    } catch (error) {
      // A refusal is an answer.
      if (!(error instanceof AppError) || error.code === 'unavailable')
        await challenges.giveBack(challenge).catch(() => undefined)
      throw error
    }
  }

  /**
   * Checks one code of the account, TOTP or recovery, and spends it with what it is for. Throws
   * `invalid_code` or `too_many_requests` (RL-06).
   */
  async verify(
    accountId: string,
    code: string,
    origin: RequestOrigin,
    effect: (tx: EntityManager) => Promise<void>,
  ): Promise<void> {
    await this.#deps.proofs.prove({ accountId, code, origin }, effect)
  }
}
