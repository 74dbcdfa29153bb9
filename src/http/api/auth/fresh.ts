import type { Passwords } from '../../../accounts/passwords.ts'
import { isFresh } from '../../../accounts/session-level.ts'
import { AppError } from '../../../errors.ts'
import type { Principal } from '../../middleware/bearer-auth.ts'

/**
 * Sensitive calls: the sign-in is at most ten minutes old, or the password comes along, which is enough where there is no second factor
 * (SE-10). A password that is sent is always checked.
 */
export async function requireFresh(passwords: Passwords, caller: Principal, password: string | undefined): Promise<void> {
  if (password !== undefined) {
    await passwords.prove(caller.accountId, password)
    if (!caller.hasMfa) return
  }
  if (!isFresh(caller)) throw new AppError('reauthentication_required')
}
