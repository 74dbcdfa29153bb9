import type { z } from 'zod'
import type { PasswordChange } from '../../../accounts/passwords/password-change.ts'
import type { PasswordReset } from '../../../accounts/passwords/password-reset.ts'
import { accepted, ok, type TwoHandlers } from './call.ts'
import { presentUser } from './presenters.ts'
import type * as body from './schemas.ts'

export interface PasswordDeps {
  readonly passwordChange: PasswordChange
  readonly passwordReset: PasswordReset
}

/** From inside: this session stays, every other ends (PW-09, PW-10). */
export function editPassword({
  passwordChange,
}: PasswordDeps): TwoHandlers<
  z.infer<typeof body.EditPassword.first>,
  z.infer<typeof body.EditPassword.second>
> {
  return {
    async first({ current_password: current }, { caller, origin }) {
      const { tokenId, method, expiresInSeconds } = await passwordChange.start(
        caller.accountId,
        current,
        origin,
      )
      return accepted({ tokenId, method, expires_in: expiresInSeconds })
    },
    async second(input, { caller: { accountId, sessionId }, origin }) {
      return ok({
        user: presentUser(
          await passwordChange.complete({ ...input, accountId, sessionId }, origin),
        ),
      })
    },
  }
}

/** From outside: answers alike for every address, ends all sessions and signs nobody in (EN-01, EM-08). */
export function forgotPassword({
  passwordReset,
}: PasswordDeps): TwoHandlers<
  z.infer<typeof body.ForgotPassword.first>,
  z.infer<typeof body.ForgotPassword.second>
> {
  return {
    async first({ email }, { origin }) {
      const { tokenId, expiresInSeconds } = await passwordReset.request(email, origin)
      return accepted({ tokenId, expires_in: expiresInSeconds })
    },
    async second(input, { origin }) {
      await passwordReset.completeByCode(input, origin)
      return ok({})
    },
  }
}
