import type { RequestOrigin } from '../../audit/request-origin.ts'
import type { EntityManager } from '../../database/database.ts'
import { Account, TotpCredential } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import type { CameBy } from '../came-by.ts'
import { canonicalEmail } from '../canonical-email.ts'
import type { KeepLinks } from '../keep-links.ts'
import { type MfaChallenges, nameOf } from './challenges.ts'
import type { Method } from './method.ts'
import type { Presented } from './passkeys/assertions.ts'
import type { RequestOptions } from './passkeys/options.ts'
import type { Passkeys } from './passkeys/passkeys.ts'
import { answersSecondStep } from './passkeys/suspended.ts'
import type { SecondFactorProofs } from './second-factor-proofs.ts'

export interface SecondStepDeps {
  readonly passkeys: Passkeys
  readonly em: EntityManager
  readonly challenges: MfaChallenges
  readonly proofs: SecondFactorProofs
  readonly keepLinks: KeepLinks
}

const TOTP_STEP_MS = 30_000

/** Both steps of a sign-in. */
export interface SecondFactor {
  readonly accountId: string
  readonly proofs: readonly Method[]
  /** Of the account when its factors were proven. */
  readonly credentialVersion: number
  /** As the challenge has kept it. */
  readonly upstream?: CameBy | undefined
}

/** The second step of a sign-in: a code of the app, a recovery code, or a passkey. */
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
    const { accountId, firstStep, upstream } = await challenges.tryOnce(challenge, binding)
    const account = await em.fork().findOneOrFail(Account, { id: accountId })
    if (email !== undefined && canonicalEmail(email) !== account.email)
      throw new AppError('invalid_code')
    const proof = { accountId, code, origin, by: nameOf(challenge) }
    const method = await proofs.prove(proof, (tx) => challenges.spend(tx, challenge))
    const { credentialVersion } = account
    return this.#answered(challenge, async () => {
      if (!account.isActive()) return keepLinks.refuse(accountId, origin)
      return goOn({ accountId, proofs: [...firstStep, method], credentialVersion, upstream })
    })
  }

  /** What the account can answer with, besides recovery codes; the one used last comes first. */
  async methods(accountId: string): Promise<('totp' | 'passkey')[]> {
    const { em, passkeys } = this.#deps
    const [totp, all] = await Promise.all([
      em.fork().findOne(TotpCredential, { account: accountId, confirmedAt: { $ne: null } }),
      passkeys.list(accountId),
    ])
    const passkey = all.find(({ suspendedFor }) => answersSecondStep(suspendedFor))
    const used = [
      ...(totp ? [{ method: 'totp', at: totp.lastStep * TOTP_STEP_MS } as const] : []),
      ...(passkey ? [{ method: 'passkey', at: passkey.lastUsedAt?.getTime() ?? 0 } as const] : []),
    ]
    return used.toSorted((a, b) => b.at - a.at).map(({ method }) => method)
  }

  /** What one of the account's own passkeys answers a challenge with; undefined if it has none. */
  passkeyOptions(accountId: string, challenge: string): Promise<RequestOptions | undefined> {
    return this.#deps.passkeys.assertionOptions(accountId, passkeyBinding(challenge))
  }

  /**
   * Answers a challenge with a passkey of the account, and goes on. Throws `challenge_expired`,
   * `passkey_unknown` or `passkey_refused`.
   */
  async answerWithPasskey<T>(
    {
      challenge,
      binding,
      ...presented
    }: { challenge: string; binding: string } & Pick<Presented, 'credential' | 'origins'>,
    origin: RequestOrigin,
    goOn: (proven: SecondFactor) => Promise<T>,
  ): Promise<T> {
    const { challenges, passkeys } = this.#deps
    const { accountId, firstStep, upstream } = await challenges
      .tryOnce(challenge, binding)
      .catch((error: unknown) => {
        const isOver = error instanceof AppError && error.code === 'invalid_code'
        throw isOver ? new AppError('challenge_expired', { cause: error }) : error
      })
    const { proofs, credentialVersion } = await passkeys.proveSecond(
      { ...presented, binding: passkeyBinding(challenge), accountId },
      origin,
      (tx) => challenges.spend(tx, challenge),
    )
    return this.#answered(challenge, () =>
      goOn({ accountId, proofs: [...firstStep, ...proofs], credentialVersion, upstream }),
    )
  }

  /** What is said of it to an app. Of TOTP it is said in any case. */
  async methodsForApps(accountId: string): Promise<('passkey' | 'totp' | 'recovery')[]> {
    const hasPasskey = (await this.methods(accountId)).includes('passkey')
    return [...(hasPasskey ? (['passkey'] as const) : []), 'totp', 'recovery']
  }

  /** What comes of the answer. If that breaks, the challenge may be answered again. */
  async #answered<T>(challenge: string, effect: () => Promise<T>): Promise<T> {
    try {
      return await effect()
    } catch (error) {
      // A refusal is an answer.
      if (!(error instanceof AppError) || error.code === 'unavailable')
        await this.#deps.challenges.giveBack(challenge).catch(() => undefined)
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

function passkeyBinding(challenge: string): string {
  return `mfa:${challenge}`
}
