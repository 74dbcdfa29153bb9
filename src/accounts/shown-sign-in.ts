import type { Account } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import type { ProvenAccount } from './accounts.ts'
import { hasTakenSecondStep, takesTwoFactors } from './factors/levels.ts'
import type { Method } from './factors/method.ts'

/** How far a sign-in has come, while something waits for its person. */
export interface ShownSignIn extends ProvenAccount {
  readonly hasSecondStep: boolean
}

/** Where an account gets another factor. */
export interface AddedIn {
  /** The session, which has shown the factor from there on. */
  readonly sessionId?: string | undefined
  /** The sign-in, where that has opened no session yet. */
  readonly shown?: ShownSignIn | undefined
}

export function shownBy({
  accountId,
  credentialVersion,
  proofs,
}: ProvenAccount & { readonly proofs: readonly Method[] }): ShownSignIn {
  return { accountId, credentialVersion, hasSecondStep: hasTakenSecondStep(proofs) }
}

/**
 * Whether that still opens the account as it is now: a change of credentials ends it (PW-10), and so
 * does a second factor that was added since and not shown (PK-06).
 */
export function stillOpens(account: Account, shown: ShownSignIn): boolean {
  return (
    account.isActive() &&
    !account.mustResetPassword &&
    account.credentialVersion === shown.credentialVersion &&
    (shown.hasSecondStep || !takesTwoFactors(account))
  )
}

/** For a transaction that has locked the account. Throws `invalid_credentials`. */
export function ensureStillOpens(account: Account, shown: ShownSignIn): void {
  if (!stillOpens(account, shown)) throw new AppError('invalid_credentials')
}
