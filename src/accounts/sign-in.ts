import type { AuditRecord, AuditSink } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import type { PasswordHasher } from '../crypto/password.ts'
import type { Pool } from '../database/database.ts'
import { AppError } from '../errors.ts'
import type { ProvenAccount } from './accounts.ts'
import { type CanonicalEmail, canonicalEmail } from './canonical-email.ts'
import { type Attempts, attempt } from './factors/attempts.ts'
import type { MfaChallenges } from './factors/challenges.ts'
import { takesTwoFactors } from './factors/levels.ts'
import type { Method } from './factors/method.ts'
import { PASSWORD } from './factors/methods/password.ts'
import type { KeepLinks } from './keep-links.ts'
import { beginSignIn, type Known } from './sign-in-lookup.ts'
import type { SignUp, StartedSignUp } from './sign-up.ts'

export interface SignInDeps {
  readonly audit: AuditSink
  readonly pool: Pool
  readonly hasher: PasswordHasher
  readonly attempts: Attempts
  readonly challenges: MfaChallenges
  readonly signUp: SignUp
  readonly keepLinks: KeepLinks
}

export interface Credentials {
  readonly email: string
  readonly password: string
  /** The device cookie, if the browser has one (RL-03). */
  readonly device?: string | undefined
  /** What an MFA challenge will be bound to: `interaction:<uid>` or `api`. */
  readonly binding: string
  /** Name of the app that the person came from, for a mail about a sign-up that is not finished. */
  readonly app?: string | undefined
}

/** An account whose password was right, and that has no second factor to show. */
export interface ProvenByPassword extends ProvenAccount {
  readonly proofs: readonly Method[]
}

export type SignInOutcome =
  | ({ readonly status: 'signed_in' } & ProvenByPassword)
  | {
      readonly status: 'mfa_required'
      readonly accountId: string
      readonly email: string
      readonly challenge: string
      readonly expiresInSeconds: number
    }
  | {
      readonly status: 'email_unverified'
      readonly email: CanonicalEmail
      readonly started: StartedSignUp
    }

const REHASH = {
  name: 'sign-in-rehash',
  text: 'update "account" set "password_hash" = $3 where "id" = $1 and "password_hash" = $2',
}

interface RightPassword {
  readonly account: Known & { readonly id: string }
  readonly needsRehash: boolean
  readonly credentials: Credentials
  readonly origin: RequestOrigin
  /** What the audit trail is told if it comes to nothing after all. */
  readonly tried: AuditRecord
}

/**
 * The first factor. Known, unknown, unproven and disabled accounts cost and answer the same (EN-01,
 * EN-02).
 */
export class SignIn {
  readonly #deps: SignInDeps

  constructor(deps: SignInDeps) {
    this.#deps = deps
  }

  /**
   * `goOn`: what a sign-in leads to that needs no second factor; it is done when this returns.
   * Throws `invalid_credentials`, `too_many_requests` with the seconds to wait, or `unavailable`
   * when too many others wait for a hash.
   */
  async withPassword(
    credentials: Credentials,
    origin: RequestOrigin,
    goOn?: (proven: ProvenByPassword) => Promise<void>,
  ): Promise<SignInOutcome> {
    const { pool, hasher, attempts, signUp, audit } = this.#deps
    const { email: submitted, password, device, app } = credentials
    hasher.refuseWhenFull()
    const email = canonicalEmail(submitted)
    const address = email ?? submitted.slice(0, 320)
    const subjects = { device: `device:${device}`, address: `password:${address}` }
    const known = await beginSignIn(pool, { email, device, subjects })
    const account = known.accountId ? { ...known, id: known.accountId } : undefined
    const pending = known.pendingId
      ? { id: known.pendingId, passwordHash: known.pendingHash }
      : undefined

    const id = account?.id ?? pending?.id
    const isActive = account?.status === 'active'
    const reason =
      account && !isActive
        ? 'account_not_active'
        : account?.mustResetPassword
          ? 'must_reset_password'
          : 'credentials'
    const tried = {
      type: 'sign_in',
      ...(id ? { accountId: id } : { address }),
      origin,
      detail: { factor: 'password', reason },
    } satisfies AuditRecord
    const subject = known.isKnownDevice ? subjects.device : subjects.address
    const reservation = await attempts.reserved(
      subject,
      'password',
      known.failures ?? undefined,
      tried,
    )

    let needsRehash = false
    // What a right password leads to does not wait for the failures before it to be forgotten (RL-08).
    const judged = { ...reservation, succeed: async () => undefined }
    const passed = await attempt(judged, async () => {
      const verdict = await hasher.verify(account?.passwordHash ?? undefined, password)
      needsRehash = verdict.needsRehash
      // Anybody can begin a sign-up with anybody's address: what its password leads to must not
      // depend on whether there is an account.
      const isPendingProven =
        pending !== undefined &&
        (await hasher.verify(pending.passwordHash || undefined, password)).valid
      if (
        verdict.valid &&
        account &&
        !account.mustResetPassword &&
        (isActive || account.isKeepable)
      )
        return true
      return isPendingProven ? undefined : false
    })
    if (passed === undefined && email && pending) {
      audit.record({
        ...tried,
        outcome: 'failure',
        detail: { factor: 'password', reason: 'email_unverified' },
      })
      return {
        status: 'email_unverified',
        email,
        started: await signUp.continueFor(pending.id, origin, app),
      }
    }
    if (!passed || !account) throw new AppError('invalid_credentials')

    const rightly = { account, needsRehash, credentials, origin, tried }
    const [outcome] = await Promise.all([this.#proceed(rightly, goOn), reservation.succeed()])
    return outcome
  }

  async #proceed(
    { account, needsRehash, credentials, origin, tried }: RightPassword,
    goOn: ((proven: ProvenByPassword) => Promise<void>) | undefined,
  ): Promise<SignInOutcome> {
    const { challenges, keepLinks, audit } = this.#deps
    const { id: accountId, email, credentialVersion } = account
    if (needsRehash && account.passwordHash)
      await this.#rehash(accountId, account.passwordHash, credentials.password)
    if (takesTwoFactors(account)) {
      const challenge = await challenges.issue(accountId, credentials.binding)
      return { status: 'mfa_required', accountId, email, ...challenge }
    }
    if (account.status !== 'active') {
      audit.record({ ...tried, outcome: 'failure' })
      return keepLinks.refuse(accountId, origin)
    }
    const proven = { accountId, proofs: [PASSWORD], credentialVersion }
    await goOn?.(proven)
    return { status: 'signed_in', ...proven }
  }

  /**
   * Only over the hash that was just proven: a reset in the meantime must not be undone. A full
   * hash queue leaves it for next time.
   */
  async #rehash(id: string, proven: string, password: string): Promise<void> {
    try {
      const passwordHash = await this.#deps.hasher.hash(password)
      await this.#deps.pool.query({ ...REHASH, values: [id, proven, passwordHash] })
    } catch (error) {
      if (!(error instanceof AppError)) throw error
    }
  }
}
