import type { AuditSink } from '../../audit/event.ts'
import type { RequestOrigin } from '../../audit/request-origin.ts'
import type { SecretBox } from '../../crypto/secret-box.ts'
import { equal } from '../../crypto/token.ts'
import { verifyTotp } from '../../crypto/totp.ts'
import type { EntityManager } from '../../database/database.ts'
import { TotpCredential } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import { lockedAccount } from '../locked-account.ts'
import type { SecurityEvents } from '../security-events.ts'
import type { Attempts } from './attempts.ts'
import { otpSubject } from './counter-subjects.ts'
import type { Method } from './method.ts'
import { RECOVERY_CODE } from './methods/recovery.ts'
import { TOTP } from './methods/totp.ts'
import type { RecoveryCodes } from './recovery-codes.ts'

export interface SecondFactorProofsDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly box: SecretBox
  readonly attempts: Attempts
  readonly recoveryCodes: RecoveryCodes
  readonly events: SecurityEvents
}

export interface Proof {
  readonly accountId: string
  readonly code: string
  readonly origin: RequestOrigin
  /** The challenge that the code answers, if there is one: the same one may spend it again until it ends. */
  readonly by?: Buffer | undefined
}

/** Codes of the second factor, spent with what they are for. */
export class SecondFactorProofs {
  readonly #deps: SecondFactorProofsDeps

  constructor(deps: SecondFactorProofsDeps) {
    this.#deps = deps
  }

  /** Code, count and effect are one transaction, all or none of it; the try itself was counted before. */
  async prove(
    { accountId, code, origin, by }: Proof,
    effect: (tx: EntityManager) => Promise<void>,
  ): Promise<Method> {
    const { em, attempts, audit, recoveryCodes, events } = this.#deps
    const reservation = await attempts.reserve(otpSubject(accountId), 'otp', {
      type: 'second_factor',
      accountId,
      origin,
    })
    const spend = async (tx: EntityManager): Promise<Method | undefined> => {
      const account = await lockedAccount(tx, accountId)
      const isTotp = await this.#acceptTotp(tx, { accountId, code, by })
      const recovery = isTotp ? undefined : await recoveryCodes.spend(tx, accountId, code, by)
      if (!isTotp && !recovery) return undefined
      await reservation.succeed(tx)
      if (recovery === 'first') {
        await events.notify(tx, account, 'recovery_code_used', origin)
        await audit.append(tx, { type: 'recovery_code_used', accountId, origin })
      }
      await effect(tx)
      return isTotp ? TOTP : RECOVERY_CODE
    }
    const method = await em
      .fork()
      .transactional(spend)
      .catch(async (error: unknown) => {
        await reservation.release().catch(() => undefined)
        throw error
      })
    if (!method) {
      reservation.fail()
      throw new AppError('invalid_code')
    }
    if (method === TOTP)
      audit.record({ type: 'second_factor', accountId, origin, detail: { method: method.id } })
    return method
  }

  /**
   * One time step is accepted once per account, whichever instance is asked (TF-03), but for the
   * challenge that it answered.
   */
  async #acceptTotp(
    tx: EntityManager,
    { accountId, code, by }: Omit<Proof, 'origin'>,
  ): Promise<boolean> {
    const credential = await tx.findOne(TotpCredential, {
      account: accountId,
      confirmedAt: { $ne: null },
    })
    if (!credential) return false
    const { lastStep, lastStepBy } = credential
    const secret = this.#deps.box.open(credential.secretBox, accountId).toString('utf8')
    const isSame = by !== undefined && lastStepBy != null && equal(by, lastStepBy)
    const step = await verifyTotp({ secret, code, afterStep: isSame ? lastStep - 1 : lastStep })
    if (step === undefined) return false
    const accepted = { lastStep: step, lastStepBy: by ?? null }
    return (await tx.nativeUpdate(TotpCredential, { id: credential.id, lastStep }, accepted)) === 1
  }
}
