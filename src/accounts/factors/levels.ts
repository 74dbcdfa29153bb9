import { ACR } from '../../config/acr.ts'
import type { RequiredLevel } from '../../config/sign-in-rules.ts'
import type { Method, Proof } from './method.ts'

export { ACR }

/** Those that we issue and accept in `acr_values`. */
export const ACR_VALUES: readonly string[] = Object.values(ACR)

/** The method of RFC 8176 that says that there were several. */
const SEVERAL = 'mfa'
/** The one that says that a key signed for this very site, which no other site can have asked for. */
const KEY = 'pop'

export interface Level {
  readonly factors: 1 | 2
  readonly resistsPhishing: boolean
}

/**
 * What the proofs of one sign-in amount to. Its steps are independent of each other, so two that
 * prove something are two factors, and so is one that proves two kinds by itself. What proves
 * nothing of its own adds nothing (TF-10).
 */
export function levelOf(proofs: readonly Proof[]): Level {
  const proving = [...new Set(proofs)].filter(({ factors }) => factors.length > 0)
  const isTwo = proving.length > 1 || proving.some(({ factors }) => factors.length > 1)
  return {
    factors: isTwo ? 2 : 1,
    resistsPhishing: proving.some(({ resistsPhishing }) => resistsPhishing),
  }
}

/**
 * The claim `amr` of a sign-in (RFC 8176). What a level is read from is in it only if the proofs
 * amount to that level, whatever another provider says.
 */
export function amrOf(proofs: readonly Proof[]): string[] {
  const { factors, resistsPhishing } = levelOf(proofs)
  const told = proofs
    .flatMap(({ amr }) => amr)
    .filter((each) => each !== SEVERAL && (resistsPhishing || each !== KEY))
  return [...new Set([...told, ...(factors === 2 ? [SEVERAL] : [])])]
}

export function acrFor({ factors }: Level): string {
  return factors === 2 ? ACR.multiFactor : ACR.singleFactor
}

/** Whether an `amr` of ours, as a session keeps it, is that of two factors. */
export function isMultiFactor(amr: readonly string[]): boolean {
  return amr.includes(SEVERAL)
}

/** Whether such an `amr` is that of two factors that resist phishing. */
export function resistsPhishing(amr: readonly string[]): boolean {
  return isMultiFactor(amr) && amr.includes(KEY)
}

/** What a further proof adds to the `amr` of a sign-in that had one factor. */
export function amrAddedBy(proof: Proof): string[] {
  return [...proof.amr, SEVERAL]
}

/**
 * Whether nothing is left to show where a second step is asked for: a recovery code takes it too,
 * and adds no factor.
 */
export function hasTakenSecondStep(proofs: readonly Proof[]): boolean {
  return proofs.length > 1 || levelOf(proofs).factors === 2
}

/** Whether a sign-in is what is demanded of it. A recovery code does for two factors (TF-11). */
export function reaches(proofs: readonly Proof[], level: RequiredLevel): boolean {
  if (level === '1fa') return true
  return level === '2fa' ? hasTakenSecondStep(proofs) : resistsPhishing(amrOf(proofs))
}

/** How strong a sign-in of an account can be: nothing to sign in with, one factor, or two. */
export const STRONGEST = { none: 0, one: 1, two: 2 } as const
export type Strongest = (typeof STRONGEST)[keyof typeof STRONGEST]

/** By the methods that the account has. Spare ones, and its address, make it no stronger. */
export function strongestOf(available: readonly Method[]): Strongest {
  const methods = available.filter(({ isOfAddress }) => !isOfAddress)
  const isTwo = (method: Method) =>
    method.counts === 'second' || (method.counts === 'way-in' && levelOf([method]).factors === 2)
  if (methods.some(isTwo)) return STRONGEST.two
  return methods.some(({ counts }) => counts === 'way-in') ? STRONGEST.one : STRONGEST.none
}

/** Whether an account's sign-in takes two factors. */
export function takesTwoFactors({ strongest }: { readonly strongest: Strongest }): boolean {
  return strongest === STRONGEST.two
}
