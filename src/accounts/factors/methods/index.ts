import type { Method } from '../method.ts'
import { EMAIL_CODE } from './email-code.ts'
import { PASSKEY } from './passkey.ts'
import { PASSWORD } from './password.ts'
import { RECOVERY_CODE } from './recovery.ts'
import { SECURITY_KEY } from './security-key.ts'
import { SIGN_UP_CODE } from './sign-up-code.ts'
import { TOTP } from './totp.ts'
import { UPSTREAM, upstreamProof } from './upstream.ts'

/** Every method of signing in. A new one is a file of this folder and a name here. */
export const METHODS: readonly Method[] = [
  PASSWORD,
  PASSKEY,
  EMAIL_CODE,
  UPSTREAM,
  SIGN_UP_CODE,
  TOTP,
  SECURITY_KEY,
  RECOVERY_CODE,
]

/**
 * What was shown, as it is kept between two steps, with what a trusted provider told of it;
 * undefined where another version kept it.
 */
export function methodsOf(
  ids: readonly string[],
  told: readonly string[] = [],
): Method[] | undefined {
  const found = ids.map((id) =>
    id === UPSTREAM.id ? upstreamProof(told) : METHODS.find((method) => method.id === id),
  )
  return found.every((method) => method !== undefined) ? found : undefined
}

/** The first step that the version before kept, by its `amr`. */
export function firstStepOf(amr: readonly string[]): Method | undefined {
  return METHODS.find(
    (method) => method.steps.includes('first') && method.amr.join(' ') === amr.join(' '),
  )
}
