import type { AuditSink } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import type { PasswordHasher } from '../crypto/password.ts'
import type { EntityManager } from '../database.ts'
import { Account } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { type Attempts, attempt } from './attempts.ts'
import { type CanonicalEmail, canonicalEmail } from './canonical-email.ts'
import type { Devices } from './devices.ts'
import type { MfaChallenges } from './mfa-challenges.ts'
import { findPending } from './pending-sign-ups.ts'
import type { SignUp, StartedSignUp } from './sign-up.ts'

export interface SignInDeps {
  readonly audit: AuditSink
  readonly em: EntityManager
  readonly hasher: PasswordHasher
  readonly attempts: Attempts
  readonly devices: Devices
  readonly challenges: MfaChallenges
  readonly signUp: SignUp
}

export interface Credentials {
  readonly email: string
  readonly password: string
  /** The device cookie, if the browser has one (RL-03). */
  readonly device?: string | undefined
  /** What an MFA challenge will be bound to: `interaction:<uid>` or `api`. */
  readonly binding: string
}

export type SignInOutcome =
  | { readonly status: 'signed_in'; readonly accountId: string; readonly amr: readonly string[]; readonly credentialVersion: number }
  | {
      readonly status: 'mfa_required'
      readonly accountId: string
      readonly email: string
      readonly challenge: string
      readonly expiresInSeconds: number
    }
  | { readonly status: 'email_unverified'; readonly email: CanonicalEmail; readonly started: StartedSignUp }

/** The first factor. Known, unknown, unproven and disabled accounts cost and answer the same (EN-01, EN-02). */
export class SignIn {
  readonly #deps: SignInDeps

  constructor(deps: SignInDeps) {
    this.#deps = deps
  }

  /** Throws `invalid_credentials`, or `too_many_requests` with the seconds to wait. */
  async withPassword({ email: submitted, password, device, binding }: Credentials, origin: RequestOrigin): Promise<SignInOutcome> {
    const { em, hasher, attempts, devices, challenges, signUp, audit } = this.#deps
    const email = canonicalEmail(submitted)
    // All are asked for whatever the first says: an address that has an account takes no shorter way.
    const [account, pending, isKnownDevice] = email
      ? await Promise.all([
          em.fork().findOne(Account, { email }, { populate: ['passwordHash'] }),
          findPending(em.fork(), email),
          device ? devices.isKnown(email, device) : false,
        ])
      : [null, undefined, false]
    const subject = isKnownDevice ? `device:${device}` : `password:${email ?? submitted.slice(0, 320)}`

    const id = account?.id ?? pending?.id
    const reason =
      account && !account.isActive() ? 'account_not_active' : account?.mustResetPassword ? 'must_reset_password' : 'credentials'
    const tried = {
      type: 'sign_in',
      ...(id ? { accountId: id } : { address: email ?? submitted.slice(0, 320) }),
      origin,
      detail: { factor: 'password', reason },
    } as const
    const reservation = await attempts.reserve(subject, 'password', tried)

    let needsRehash = false
    const passed = await attempt(reservation, async () => {
      const verdict = await hasher.verify(account?.passwordHash ?? undefined, password)
      needsRehash = verdict.needsRehash
      // Anybody can begin a sign-up with anybody's address: what its password leads to must not depend on whether there is an account.
      const isPendingProven = pending !== undefined && (await hasher.verify(pending.passwordHash || undefined, password)).valid
      if (verdict.valid && account?.isActive() && !account.mustResetPassword) return true
      return isPendingProven ? undefined : false
    })
    if (passed === undefined && email && pending) {
      audit.record({ ...tried, outcome: 'failure', detail: { factor: 'password', reason: 'email_unverified' } })
      return { status: 'email_unverified', email, started: await signUp.continueFor(pending.id, origin) }
    }
    if (!passed || !account) throw new AppError('invalid_credentials')

    if (needsRehash && account.passwordHash) await this.#rehash(account.id, account.passwordHash, password)
    if (account.mfaEnabled)
      return { status: 'mfa_required', accountId: account.id, email: account.email, ...(await challenges.issue(account.id, binding)) }
    return { status: 'signed_in', accountId: account.id, amr: ['pwd'], credentialVersion: account.credentialVersion }
  }

  /** Only over the hash that was just proven: a reset in the meantime must not be undone. A full hash queue leaves it for next time. */
  async #rehash(id: string, proven: string, password: string): Promise<void> {
    try {
      const passwordHash = await this.#deps.hasher.hash(password)
      await this.#deps.em.fork().nativeUpdate(Account, { id, passwordHash: proven }, { passwordHash })
    } catch (error) {
      if (!(error instanceof AppError)) throw error
    }
  }
}
