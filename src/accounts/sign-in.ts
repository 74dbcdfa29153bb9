import type { AuditRecord, AuditSink } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import type { PasswordHasher } from '../crypto/password.ts'
import { sha256 } from '../crypto/token.ts'
import type { Pool } from '../database/database.ts'
import { AppError } from '../errors.ts'
import { type CanonicalEmail, canonicalEmail } from './canonical-email.ts'
import { type Attempts, attempt } from './factors/attempts.ts'
import { deviceSubject, passwordSubject } from './factors/counter-subjects.ts'
import { PASSWORD } from './factors/methods/password.ts'
import type { FirstStep, FirstStepOutcome, ProvenSignIn } from './first-step.ts'
import { beginSignIn } from './sign-in-lookup.ts'
import type { SignUp, StartedSignUp } from './sign-up.ts'

export interface SignInDeps {
  readonly audit: AuditSink
  readonly pool: Pool
  readonly hasher: PasswordHasher
  readonly attempts: Attempts
  readonly firstStep: FirstStep
  readonly signUp: SignUp
}

export interface Credentials {
  readonly email: string
  readonly password: string
  /** The device cookie, if the browser has one (RL-03). */
  readonly device?: string | undefined
  /** Whether the device may skip the second step, if its owner trusts it. */
  readonly takesTrust?: boolean
  /** What an MFA challenge will be bound to: `interaction:<uid>` or `api`. */
  readonly binding: string
  /** Name of the app that the person came from, for a mail about a sign-up that is not finished. */
  readonly app?: string | undefined
}

export type SignInOutcome =
  | FirstStepOutcome
  | {
      readonly status: 'email_unverified'
      readonly email: CanonicalEmail
      readonly started: StartedSignUp
    }

const REHASH = {
  name: 'sign-in-rehash',
  text: 'update "account" set "password_hash" = $3 where "id" = $1 and "password_hash" = $2',
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
    goOn?: (proven: ProvenSignIn) => Promise<void>,
  ): Promise<SignInOutcome> {
    const { pool, hasher, attempts, signUp, firstStep, audit } = this.#deps
    const { email: submitted, password, device, app } = credentials
    hasher.refuseWhenFull()
    const email = canonicalEmail(submitted)
    const address = email ?? submitted.slice(0, 320)
    const subjects = {
      device: deviceSubject(sha256(device ?? '')),
      address: passwordSubject(address),
    }
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

    const proceed = async (): Promise<FirstStepOutcome> => {
      if (needsRehash && account.passwordHash)
        await this.#rehash(account.id, account.passwordHash, password)
      const { binding, takesTrust } = credentials
      const trusted = takesTrust ? { device } : {}
      const first = { account, proofs: [PASSWORD], binding, origin, ...trusted }
      return firstStep.proceed(first, goOn)
    }
    const [outcome] = await Promise.all([proceed(), reservation.succeed()])
    return outcome
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
