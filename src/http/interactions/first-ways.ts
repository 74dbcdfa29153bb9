import { AppError } from '../../errors.ts'
import type { Step } from './interaction.ts'

/** What somebody who signs up here may sign in with from then on. */
export interface FirstWays {
  readonly password: boolean
  readonly passkey: boolean
  /** A code to the address takes nothing that the account would have to have. */
  readonly code: boolean
}

export function firstWaysOf({ offers }: Pick<Step, 'offers'>): FirstWays {
  return {
    password: offers('password'),
    passkey: offers('passkey'),
    code: offers('email-code'),
  }
}

/** What was chosen of them. Throws `method_not_offered` where there is none. */
export function chosenWay(
  ways: FirstWays,
  { password, passkey }: { readonly password: string; readonly passkey: string },
): { password: string | null; wantsPasskey: boolean } {
  if (!hasFirstWay(ways)) throw new AppError('method_not_offered')
  const isOnlyWay = !ways.password && !ways.code
  const wantsPasskey = ways.passkey && (passkey === 'yes' || isOnlyWay)
  return { wantsPasskey, password: ways.password && !wantsPasskey ? password : null }
}

export function hasFirstWay(ways: FirstWays): boolean {
  return Object.values(ways).includes(true)
}
