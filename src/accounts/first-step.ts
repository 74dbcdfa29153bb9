import type { AuditSink } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import type { Account } from '../entities/index.ts'
import type { ProvenAccount } from './accounts.ts'
import type { CameBy } from './came-by.ts'
import type { MfaChallenges } from './factors/challenges.ts'
import { levelOf, takesTwoFactors } from './factors/levels.ts'
import type { Method } from './factors/method.ts'
import type { KeepLinks } from './keep-links.ts'
import type { TrustedDevices } from './trusted-devices.ts'

export interface FirstStepDeps {
  readonly audit: AuditSink
  readonly challenges: MfaChallenges
  readonly keepLinks: KeepLinks
  readonly trustedDevices: TrustedDevices
}

/** A first proof that was right. */
export interface FirstProof {
  readonly account: Pick<Account, 'id' | 'email' | 'status' | 'strongest' | 'credentialVersion'>
  readonly proofs: readonly Method[]
  /** What a challenge for the second step will be bound to: `interaction:<uid>` or `api`. */
  readonly binding: string
  readonly origin: RequestOrigin
  /** The device cookie, where the owner's trust in it does for a second step (TF-07). */
  readonly device?: string | undefined
  /** By whom the person came; a challenge keeps it. */
  readonly upstream?: CameBy | undefined
}

/** An account of which all is proven that its sign-in takes. */
export interface ProvenSignIn extends ProvenAccount {
  readonly proofs: readonly Method[]
  /** The trusted device that did for the second step. */
  readonly trustedBy?: string | undefined
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
   * A challenge for the second step, where the account takes two factors and there are not two yet,
   * unless the owner trusts the device.
   * `goOn`: what a sign-in leads to that needs none; it is done when this returns. Throws
   * `invalid_credentials` for an account that is closed, whose owner is mailed how to keep it.
   */
  async proceed(
    { account, proofs, binding, origin, device, upstream }: FirstProof,
    goOn?: (proven: ProvenSignIn) => Promise<void>,
  ): Promise<FirstStepOutcome> {
    const { challenges, keepLinks, audit, trustedDevices } = this.#deps
    const { id: accountId, email, credentialVersion } = account
    const lacksSecond = takesTwoFactors(account) && levelOf(proofs).factors < 2
    const trustedBy = lacksSecond ? await trustedDevices.find(accountId, device) : undefined
    if (lacksSecond && !trustedBy) {
      const challenge = await challenges.issue(accountId, binding, proofs, upstream)
      return { status: 'mfa_required', accountId, email, ...challenge }
    }
    if (account.status !== 'active') {
      const how = { factor: proofs[0]?.id, provider: upstream?.providerId }
      const detail = { ...how, reason: 'account_not_active' }
      audit.record({ type: 'sign_in', outcome: 'failure', accountId, origin, detail })
      return keepLinks.refuse(accountId, origin)
    }
    const proven = { accountId, proofs, credentialVersion, ...(trustedBy ? { trustedBy } : {}) }
    await goOn?.(proven)
    return { status: 'signed_in', ...proven }
  }
}
