import type { z } from 'zod'
import type { Mfa } from '../../../accounts/factors/mfa.ts'
import type { SignIn } from '../../../accounts/sign-in.ts'
import type { RequestOrigin } from '../../../audit/request-origin.ts'
import { AppError } from '../../../errors.ts'
import type { FirstPartyTokens, SignedIn } from '../../../oidc/tokens/first-party-tokens.ts'
import { type Answer, type Handler, ok, type TwoHandlers } from './call.ts'
import { presentSession, presentUser } from './presenters.ts'
import type * as body from './schemas.ts'

export interface SignInDeps {
  readonly signIn: SignIn
  readonly mfa: Mfa
  readonly firstPartyTokens: FirstPartyTokens
  readonly config: { readonly requireMfa: boolean }
}

const BINDING = 'api'

type First = z.infer<typeof body.SignIn.first>
type Second = z.infer<typeof body.SignIn.second>

export function signIn(deps: SignInDeps): TwoHandlers<First, Second> {
  return { first: withPassword(deps), second: withCode(deps) }
}

/** With two-step sign-in on, the answer names a challenge and no token is made (TF-06). */
function withPassword(deps: SignInDeps): Handler<First> {
  return async ({ email, password }, { origin }) => {
    const outcome = await deps.signIn.withPassword({ email, password, binding: BINDING }, origin)
    switch (outcome.status) {
      case 'signed_in':
        // Two factors are demanded and there is one: the second is set up on the hosted pages (TF-11).
        if (deps.config.requireMfa) throw new AppError('mfa_required', { extra: { methods: [] } })
        return issue(deps, outcome, origin)
      case 'mfa_required':
        throw new AppError('mfa_required', {
          extra: {
            token: outcome.challenge,
            methods: ['totp', 'recovery'],
            expires_in: outcome.expiresInSeconds,
          },
        })
      case 'email_unverified':
        throw new AppError('email_unverified', {
          extra: { userId: outcome.started.userId, tokenId: outcome.started.tokenId },
        })
    }
  }
}

/**
 * The challenge stands for the password, so only it and the code are judged; an address that is
 * sent must be the challenge's.
 */
function withCode(deps: SignInDeps): Handler<Second> {
  return ({ email, code, token }, { origin }) =>
    deps.mfa.answer({ challenge: token, binding: BINDING, code, email }, origin, (proven) =>
      issue(deps, proven, origin),
    )
}

export function refresh({ firstPartyTokens }: SignInDeps): Handler<z.infer<typeof body.Refresh>> {
  return async ({ refresh_token: value }) => ok(await firstPartyTokens.refresh(value))
}

async function issue(
  { firstPartyTokens }: SignInDeps,
  proven: SignedIn,
  origin: RequestOrigin,
): Promise<Answer> {
  const { tokens, session } = await firstPartyTokens.issue(proven, origin)
  return ok({
    ...tokens,
    session: presentSession(session, session.id),
    user: presentUser(session.account),
  })
}
