import { LIFETIMES } from '../../config/limits.ts'
import {
  isMultiFactor,
  resistsPhishing,
  type Strongest,
  takesTwoFactors,
} from '../factors/levels.ts'
import type { SignInPolicy } from '../factors/sign-in-policy.ts'

/** What was shown for a session, and how strong a sign-in of its account can be now. */
export interface Shown {
  /** When the whole sign-in was. */
  readonly authenticatedAt: Date
  /** When a second factor was shown last: a code of the app, or a recovery code. */
  readonly secondProvedAt: Date | undefined
  readonly strongest: Strongest
}

/**
 * How strong a sign-in is by what its account has now: one factor; two; or one and a recovery code,
 * which is no factor of its own but lets a person whose phone is lost reach what replaces it
 * (TF-10, TF-11). `trusted`: one, on a device that its owner trusts. `phr`: two that resist
 * phishing.
 */
export type SessionLevel = 'one' | 'trusted' | 'recovered' | 'two' | 'phr'

export function sessionLevelOf({
  strongest,
  secondProvedAt,
  amr,
  isTrusted,
  isVouched,
}: Omit<Shown, 'authenticatedAt'> & {
  readonly amr: readonly string[]
  readonly isTrusted: boolean
  /** A trusted provider brought two factors: the account needs none of its own. */
  readonly isVouched: boolean
}): SessionLevel {
  if (!takesTwoFactors({ strongest })) return isVouched ? 'two' : 'one'
  if (isMultiFactor(amr)) return resistsPhishing(amr) ? 'phr' : 'two'
  if (secondProvedAt) return 'recovered'
  return isTrusted ? 'trusted' : 'one'
}

/** Whether a session is less than the operator demands of everybody (TF-11, TF-07). */
export function fallsShort(
  level: SessionLevel,
  { requiredLevel, trustedDeviceDays }: Pick<SignInPolicy, 'requiredLevel' | 'trustedDeviceDays'>,
): boolean {
  if (requiredLevel === 'phr') return level !== 'phr'
  const isOne = level === 'one' || (level === 'trusted' && trustedDeviceDays === 0)
  return requiredLevel === '2fa' && isOne
}

/**
 * Whether sensitive things may be done now: an account with a second factor must have shown that
 * one, not only a password (SE-10).
 */
export function isFresh({ strongest, authenticatedAt, secondProvedAt }: Shown): boolean {
  const proof = takesTwoFactors({ strongest }) ? secondProvedAt : authenticatedAt
  return proof !== undefined && ageSeconds(proof) <= LIFETIMES.freshAuthentication
}

/** Whole seconds, as the authorization endpoint counts them: it must not find fresh what is stale here. */
export function ageSeconds(moment: Date): number {
  return Math.floor(Date.now() / 1000) - Math.floor(moment.getTime() / 1000)
}
