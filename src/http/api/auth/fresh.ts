import type { Passwords } from '../../../accounts/passwords.ts'
import { LIFETIMES } from '../../../config/limits.ts'
import { AppError } from '../../../errors.ts'
import type { Principal } from '../../middleware/bearer-auth.ts'

/** Sensitive calls: the sign-in is at most ten minutes old, or the password comes along (SE-10). A password that is sent is always checked. */
export async function requireFresh(passwords: Passwords, caller: Principal, password: string | undefined): Promise<void> {
  if (password !== undefined) {
    await passwords.prove(caller.accountId, password)
    return
  }
  const ageSeconds = (Date.now() - caller.authenticatedAt.getTime()) / 1000
  if (ageSeconds > LIFETIMES.freshAuthentication) throw new AppError('reauthentication_required')
}
