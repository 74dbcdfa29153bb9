import type { FirstStepOutcome } from '../../accounts/first-step.ts'

type HalfWay = Exclude<FirstStepOutcome, { status: 'signed_in' }>

/** What the second step must know of the first, whichever that was. */
export function secondStepAfter(
  { challenge, accountId, email }: HalfWay,
  isRemembered: boolean,
): Pick<HalfWay, 'challenge' | 'accountId' | 'email'> & { isRemembered: boolean } {
  return { challenge, accountId, email, isRemembered }
}
