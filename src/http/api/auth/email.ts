import type { z } from 'zod'
import type { EmailChange } from '../../../accounts/email-change.ts'
import type { StepUp } from '../../../accounts/factors/step-up.ts'
import { accepted, ok, type TwoHandlers } from './call.ts'
import { presentUser } from './presenters.ts'
import type * as body from './schemas.ts'

export interface EmailDeps {
  readonly emailChange: EmailChange
  readonly stepUp: StepUp
}

/** The answer is the same for a taken address (EN-01); the code goes to the new one (EM-10). */
export function editEmail({
  emailChange,
  stepUp,
}: EmailDeps): TwoHandlers<
  z.infer<typeof body.EditEmail.first>,
  z.infer<typeof body.EditEmail.second>
> {
  return {
    async first({ email, password }, { caller, origin }) {
      await stepUp.require(caller, password)
      const { tokenId, expiresInSeconds } = await emailChange.start(caller.accountId, email, origin)
      return accepted({ tokenId, expires_in: expiresInSeconds })
    },
    async second(input, { caller, origin }) {
      return ok({
        user: presentUser(
          await emailChange.complete({ ...input, accountId: caller.accountId }, origin),
        ),
      })
    },
  }
}
