import type { z } from 'zod'
import type { StepUp } from '../../../accounts/factors/step-up.ts'
import { LIFETIMES } from '../../../config/limits.ts'
import { accepted, ok, type TwoHandlers } from './call.ts'
import type * as body from './schemas.ts'

export interface VerificationDeps {
  readonly stepUp: StepUp
}

const PROVEN = ok({ expires_in: LIFETIMES.freshAuthentication })

/**
 * What makes the next sensitive calls of this session and client fresh, at the level that the
 * account has (SE-10).
 */
export function verify({
  stepUp,
}: VerificationDeps): TwoHandlers<
  z.infer<typeof body.Verification.first>,
  z.infer<typeof body.Verification.second>
> {
  return {
    async first({ password }, { caller, origin }) {
      if (password === undefined) {
        const { tokenId, expiresInSeconds } = await stepUp.mailCode(caller, origin)
        return accepted({ tokenId, expires_in: expiresInSeconds })
      }
      await stepUp.byPassword(caller, password)
      return PROVEN
    },
    async second({ code, tokenId }, { caller, origin }) {
      if (tokenId === undefined) await stepUp.byCode(caller, code, origin)
      else await stepUp.byMailedCode(caller, { tokenId, code }, origin)
      return PROVEN
    },
  }
}
