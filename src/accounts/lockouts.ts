import { type Actor, type AuditSink, OPERATOR } from '../audit/event.ts'
import type { EntityManager } from '../database/database.ts'
import { Account, AttemptCounter, KnownDevice } from '../entities/index.ts'
import type { TokenPurpose } from '../entities/verification-token.ts'
import { AppError } from '../errors.ts'
import { keyOf } from './factors/attempts.ts'
import {
  codeSubject,
  deviceSubject,
  otpSubject,
  passwordSubject,
  signInCodeSubject,
} from './factors/counter-subjects.ts'

/** Whose codes are mailed to the address of an account. */
const MAILED: readonly TokenPurpose[] = ['reset_password', 'recover', 'sign_in', 'prove_address']

/** The failed tries that are counted against an account: for somebody who has locked it. */
export class Lockouts {
  readonly #em: EntityManager
  readonly #audit: AuditSink

  constructor({ em, audit }: { readonly em: EntityManager; readonly audit: AuditSink }) {
    this.#em = em
    this.#audit = audit
  }

  /**
   * Forgets them all: of passwords and mailed codes, at its address and in the browsers it knows,
   * and of one-time codes. False if there were none. Throws `not_found`.
   */
  async lift(accountId: string, actor: Actor = OPERATOR): Promise<boolean> {
    return this.#em.fork().transactional(async (tx) => {
      const account = await tx.findOne(Account, { id: accountId })
      if (!account) throw new AppError('not_found')
      const devices = await tx.find(KnownDevice, { account: accountId })
      const { email } = account
      const subjects = [
        passwordSubject(email),
        otpSubject(accountId),
        signInCodeSubject(email),
        ...MAILED.map((purpose) => codeSubject(purpose, email)),
        ...devices
          .map(({ digest }) => deviceSubject(digest))
          .flatMap((device) => [device, signInCodeSubject(device)]),
      ]
      const forgotten = await tx.nativeDelete(AttemptCounter, {
        subject: { $in: subjects.map(keyOf) },
      })
      if (forgotten > 0)
        await this.#audit.append(tx, { type: 'account_unlocked', accountId, actor })
      return forgotten > 0
    })
  }
}
