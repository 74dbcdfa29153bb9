import type { AuditSink } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import type { Account } from '../entities/index.ts'
import type { ProvenAccount } from './accounts.ts'
import type { MfaChallenges } from './factors/challenges.ts'
import { levelOf, takesTwoFactors } from './factors/levels.ts'
import type { Method } from './factors/method.ts'
import type { KeepLinks } from './keep-links.ts'

export interface FirstStepDeps {
  readonly audit: AuditSink
  readonly challenges: MfaChallenges
  readonly keepLinks: KeepLinks
}

/** A first proof that was right. */
export interface FirstProof {
  readonly account: Pick<Account, 'id' | 'email' | 'status' | 'strongest' | 'credentialVersion'>
  readonly proofs: readonly Method[]
  /** What a challenge for the second step will be bound to: `interaction:<uid>` or `api`. */
  readonly binding: string
  readonly origin: RequestOrigin
}

/** An account of which all is proven that its sign-in takes. */
export interface ProvenSignIn extends ProvenAccount {
  readonly proofs: readonly Method[]
}

export type FirstStepOutcome =
  | ({ readonly status: 'signed_in' } & ProvenSignIn)
  | {
      readonly status: 'mfa_required'
      readonly accountId: string
      readonly email: string
      readonly challenge: string
      readonly expiresInSeconds: number
    }

/** What a right first proof leads to, whichever it was. */
export class FirstStep {
  readonly #deps: FirstStepDeps

  constructor(deps: FirstStepDeps) {
    this.#deps = deps
  }

  /**
   * A challenge for the second step, where the account takes two factors and there are not two yet.
   * `goOn`: what a sign-in leads to that needs none; it is done when this returns. Throws
   * `invalid_credentials` for an account that is closed, whose owner is mailed how to keep it.
   */
  async proceed(
    { account, proofs, binding, origin }: FirstProof,
    goOn?: (proven: ProvenSignIn) => Promise<void>,
  ): Promise<FirstStepOutcome> {
    const { challenges, keepLinks, audit } = this.#deps
    const { id: accountId, email, credentialVersion } = account
    if (takesTwoFactors(account) && levelOf(proofs).factors < 2) {
      const challenge = await challenges.issue(accountId, binding, proofs)
      return { status: 'mfa_required', accountId, email, ...challenge }
    }
    if (account.status !== 'active') {
      const detail = { factor: proofs[0]?.id, reason: 'account_not_active' }
      audit.record({ type: 'sign_in', outcome: 'failure', accountId, origin, detail })
      return keepLinks.refuse(accountId, origin)
    }
    const proven = { accountId, proofs, credentialVersion }
    await goOn?.(proven)
    return { status: 'signed_in', ...proven }
  }
}
