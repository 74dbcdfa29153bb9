import type { Context } from 'koa'
import { PASSWORD } from '../../accounts/factors/methods/password.ts'
import { SIGN_UP_CODE } from '../../accounts/factors/methods/sign-up-code.ts'
import type { Account } from '../../entities/index.ts'
import { finishSignIn } from './finish.ts'
import type { InteractionDeps, Step } from './interaction.ts'
import { firstPasskey } from './passkey-due.ts'

/**
 * A new account signs in: with the password that was typed here, with the passkey that is made
 * now, or once by the proof of its address.
 */
export async function enterNew(
  ctx: Context,
  deps: InteractionDeps,
  step: Step,
  account: Account,
  wantsPasskey = false,
): Promise<void> {
  const { id: accountId, credentialVersion } = account
  // None is in force if several people have signed up with the address: then only the address
  // is proven (EM-11).
  const proof = account.passwordHash ? PASSWORD : SIGN_UP_CODE
  const proven = { accountId, credentialVersion, proofs: [proof], isRemembered: false }
  if (!wantsPasskey || account.passwordHash) return finishSignIn(ctx, deps, step, proven)
  return step.goOn({ arrival: step.state.arrival, offer: firstPasskey(proven) })
}
