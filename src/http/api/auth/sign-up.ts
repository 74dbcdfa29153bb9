import type { z } from 'zod'
import type { SignUp, StartedSignUp } from '../../../accounts/sign-up.ts'
import type { SignUpProof } from '../../../accounts/sign-up-proof.ts'
import { type Answer, accepted, type Handler, ok } from './call.ts'
import { presentUser } from './presenters.ts'
import type * as body from './schemas.ts'

export interface SignUpDeps {
  readonly signUp: SignUp
  readonly signUpProof: SignUpProof
}

export function signUp(deps: SignUpDeps): Handler<z.infer<typeof body.SignUp>> {
  return async (input, { origin }) => started(await deps.signUp.start(input, origin))
}

export function resend(deps: SignUpDeps): Handler<z.infer<typeof body.Resend>> {
  return async ({ email }, { origin }) => started(await deps.signUp.resend(email, origin))
}

export function verifyEmail(deps: SignUpDeps): Handler<z.infer<typeof body.VerifyEmail>> {
  return async (input) => ok({ user: presentUser(await deps.signUpProof.byCode(input)) })
}

function started({ userId, tokenId, expiresInSeconds }: StartedSignUp): Answer {
  return accepted({ userId, tokenId, expires_in: expiresInSeconds })
}
