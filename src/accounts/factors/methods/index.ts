import type { Method } from '../method.ts'
import { PASSWORD } from './password.ts'
import { RECOVERY_CODE } from './recovery.ts'
import { SIGN_UP_CODE } from './sign-up-code.ts'
import { TOTP } from './totp.ts'

/** Every method of signing in. A new one is a file of this folder and a name here. */
export const METHODS: readonly Method[] = [PASSWORD, TOTP, RECOVERY_CODE, SIGN_UP_CODE]

/** The first step that an interaction keeps by its `amr`. */
export function firstStepOf(amr: readonly string[]): Method | undefined {
  return METHODS.find(
    (method) => method.steps.includes('first') && method.amr.join(' ') === amr.join(' '),
  )
}
