import type { z } from 'zod'
import type { SignUp, StartedSignUp } from '../../../accounts/sign-up.ts'
import { type Answer, accepted, type Handler, ok } from './call.ts'
import { presentUser } from './presenters.ts'
import type * as body from './schemas.ts'

export interface SignUpDeps {
  readonly signUp: SignUp
}

export function signUp(deps: SignUpDeps): Handler<z.infer<typeof body.SignUp>> {
  return async (input, { origin }) => started(await deps.signUp.start(input, origin))
}

export function resend(deps: SignUpDeps): Handler<z.infer<typeof body.Resend>> {
  return async ({ email }, { origin }) => started(await deps.signUp.resend(email, origin))
}

export function verifyEmail(deps: SignUpDeps): Handler<z.infer<typeof body.VerifyEmail>> {
  return async (input) => ok({ user: presentUser(await deps.signUp.verify(input)) })
}

function started({ userId, tokenId, expiresInSeconds }: StartedSignUp): Answer {
  return accepted({ userId, tokenId, expires_in: expiresInSeconds })
}
