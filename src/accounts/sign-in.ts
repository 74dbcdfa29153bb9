import type { AuditSink } from '../audit/event.ts'
import type { RequestOrigin } from '../audit/request-origin.ts'
import type { PasswordHasher } from '../crypto/password.ts'
import { sha256 } from '../crypto/token.ts'
import type { Pool } from '../database/database.ts'
import type { Account } from '../entities/index.ts'
import { AppError } from '../errors.ts'
import { IS_KEEPABLE } from './accounts.ts'
import { type CanonicalEmail, canonicalEmail } from './canonical-email.ts'
import { type Attempts, attempt, countPassword, keyOf } from './factors/attempts.ts'
import type { MfaChallenges } from './factors/challenges.ts'
import type { KeepLinks } from './keep-links.ts'
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

export type SignInOutcome =
  | {
      readonly status: 'signed_in'
      readonly accountId: string
      readonly amr: readonly string[]
      readonly credentialVersion: number
      /**
       * The failures before it are being forgotten: nobody is told of the sign-in before this is
       * done (RL-08).
       */
      readonly forgotten: Promise<void>
    }
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

/** What an address and a device cookie can sign in to. */
interface Known {
  readonly accountId: string | null
  readonly email: string
  readonly passwordHash: string | null
  readonly status: Account['status']
  readonly mustResetPassword: boolean
  /** About to be deleted, and its owner may still keep it. */
  readonly isKeepable: boolean | null
  readonly mfaEnabled: boolean
  readonly credentialVersion: number
  /** The sign-up that an unproven address would sign in to; newest first. */
  readonly pendingId: string | null
  readonly pendingHash: string | null
  readonly isKnownDevice: boolean
  /** Tries of the device or the address, this one included; none if it is blocked. */
  readonly failures: number | null
}

/**
 * One statement whatever there is: an address that has an account takes no shorter way. It counts
 * the try as it looks.
 */
const BEGIN = {
  name: 'sign-in-begin',
  text: `
with "known" as materialized (
  select a."id" as "accountId", a."email", a."password_hash" as "passwordHash", a."status", a."must_reset_password" as "mustResetPassword", ${IS_KEEPABLE} as "isKeepable",
    a."mfa_enabled" as "mfaEnabled", a."credential_version" as "credentialVersion", p."id" as "pendingId", p."password_hash" as "pendingHash",
    d."digest" is not null as "isKnownDevice", case when d."digest" is null then $3::bytea else $4::bytea end as "subject"
  from (values ($1::varchar)) as q ("email")
  left join "account" a on a."email" = q."email"
  left join "known_device" d on d."digest" = $2 and d."account_id" = a."id"
  left join lateral (
    select "id", "password_hash" from "pending_sign_up" where "email" = q."email" and "password_hash" <> '' and "expires_at" > now() order by "created_at" desc limit 1
  ) p on true
), "tried" as (${countPassword('"subject"', 'from "known"')})
select "known".*, "tried"."failures" from "known" left join "tried" on true`,
}
const REHASH = 'update "account" set "password_hash" = $3 where "id" = $1 and "password_hash" = $2'

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
   * Throws `invalid_credentials`, `too_many_requests` with the seconds to wait, or `unavailable`
   * when too many others wait for a hash.
   */
  async withPassword(
    { email: submitted, password, device, binding, app }: Credentials,
    origin: RequestOrigin,
  ): Promise<SignInOutcome> {
    const { hasher, attempts, challenges, signUp, keepLinks, audit } = this.#deps
    hasher.refuseWhenFull()
    const email = canonicalEmail(submitted)
    const address = email ?? submitted.slice(0, 320)
    const subjects = { device: `device:${device}`, address: `password:${address}` }
    const known = await this.#begin(email, device, subjects)
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
    } as const
    const subject = known.isKnownDevice ? subjects.device : subjects.address
    const reservation = await attempts.reserved(
      subject,
      'password',
      known.failures ?? undefined,
      tried,
    )

    let needsRehash = false
    let forgotten = Promise.resolve()
    const succeed = async () => {
      forgotten = reservation.succeed()
      forgotten.catch(() => undefined)
    }
    const passed = await attempt({ ...reservation, succeed }, async () => {
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

    if (needsRehash && account.passwordHash)
      await this.#rehash(account.id, account.passwordHash, password)
    if (!isActive && !account.mfaEnabled) {
      audit.record({ ...tried, outcome: 'failure' })
      return keepLinks.refuse(account.id, origin)
    }
    if (!account.mfaEnabled)
      return {
        status: 'signed_in',
        accountId: account.id,
        amr: ['pwd'],
        credentialVersion: account.credentialVersion,
        forgotten,
      }
    const [challenge] = await Promise.all([challenges.issue(account.id, binding), forgotten])
    return { status: 'mfa_required', accountId: account.id, email: account.email, ...challenge }
  }

  async #begin(
    email: CanonicalEmail | undefined,
    device: string | undefined,
    subjects: { readonly device: string; readonly address: string },
  ): Promise<Known> {
    const values = [
      email ?? null,
      device ? sha256(device) : null,
      keyOf(subjects.address),
      keyOf(subjects.device),
    ]
    const { rows } = await this.#deps.pool.query<Known>({ ...BEGIN, values })
    return rows[0] as Known
  }

  /**
   * Only over the hash that was just proven: a reset in the meantime must not be undone. A full
   * hash queue leaves it for next time.
   */
  async #rehash(id: string, proven: string, password: string): Promise<void> {
    try {
      const passwordHash = await this.#deps.hasher.hash(password)
      await this.#deps.pool.query(REHASH, [id, proven, passwordHash])
    } catch (error) {
      if (!(error instanceof AppError)) throw error
    }
  }
}
