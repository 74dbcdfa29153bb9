import { z } from 'zod'
import { reaches } from '../../../accounts/factors/levels.ts'
import type { RequestOrigin } from '../../../audit/request-origin.ts'
import { AppError } from '../../../errors.ts'
import type { SignedIn } from '../../../oidc/tokens/first-party-tokens.ts'
import type { AuthApiDeps } from './deps.ts'
import { named } from './fields.ts'
import { presentSession, presentUser, Session, seconds, User } from './shapes.ts'

export const Tokens = named('Tokens', {
  access_token: z.string().describe('A JWT of RFC 9068 for this API.'),
  token_type: z.literal('Bearer'),
  expires_in: seconds,
  refresh_token: z.string().describe('Good once.'),
  scope: z.string(),
})
export const SignedInAnswer = named('SignedIn', { ...Tokens.shape, session: Session, user: User })

/** What challenges of the second step belong to here. */
export const BINDING = 'api'

/** A right first step of an account that takes two. */
export async function secondStepWanted(
  { secondStep }: Pick<AuthApiDeps, 'secondStep'>,
  outcome: { accountId: string; challenge: string; expiresInSeconds: number },
): Promise<AppError> {
  return new AppError('mfa_required', {
    extra: {
      token: outcome.challenge,
      methods: await secondStep.methodsForApps(outcome.accountId),
      expires_in: outcome.expiresInSeconds,
    },
  })
}

export async function issue(
  { firstPartyTokens, signInPolicy, termsTokens }: AuthApiDeps,
  proven: SignedIn,
  origin: RequestOrigin,
): Promise<z.output<typeof SignedInAnswer>> {
  // More is demanded than there is: what is missing is set up on the hosted pages (TF-11).
  if (!reaches(proven.proofs, signInPolicy.requiredLevel))
    throw new AppError('mfa_required', { extra: { methods: [] } })
  await termsTokens.requireOf(proven.accountId)
  const { tokens, session } = await firstPartyTokens.issue(proven, origin)
  return {
    ...tokens,
    session: presentSession(session, session.id),
    user: presentUser(session.account),
  }
}
