import { z } from 'zod'
import { AppError } from '../../../errors.ts'
import { family, operation, twoCalls } from '../operation.ts'
import * as example from './examples.ts'
import { code, email, named, newPassword, password, token, uuid } from './fields.ts'
import { refreshToken, stranger } from './guards.ts'
import { presentStartedProof, StartedProof } from './shapes.ts'
import { BINDING, issue, SignedInAnswer, secondStepWanted, Tokens } from './signed-in.ts'

const { CODE, EMAIL, EXPIRES, IDS, NEXT_TOKENS, PASSWORD, SESSION, TOKENS, USER } = example

export const SIGN_IN = family('Sign-in', {
  signIn: twoCalls({
    route: 'POST /sign-in/email',
    guard: stranger,
    limit: 'sign-in',
    summary: 'Sign in',
    description:
      'With two-step sign-in on, the first call is refused with `mfa_required` and a token; the second call brings that token and a code. Its address and password may be left out. Without a token and with no `methods`, the operator demands a second factor that the account does not have yet: it is set up on the hosted pages.',
    refusals: [
      'invalid_credentials',
      'mfa_required',
      'email_unverified',
      'terms_required',
      'invalid_code',
      'method_not_offered',
    ],
    /** With two-step sign-in on, the refusal names a challenge and no token is made (TF-06). */
    first: {
      body: named('SignInFirstBody', { email, password }),
      answer: SignedInAnswer,
      example: {
        body: { email: EMAIL, password: PASSWORD },
        answer: { ...TOKENS, session: SESSION, user: USER },
      },
      async handle(input, { origin }, deps) {
        // People of a domain may have to sign in elsewhere: it is the domain's affair, not the address's.
        const isElsewhere = (await deps.providers.enforcing(input.email)) !== undefined
        if (isElsewhere || !deps.signInPolicy.offers('password'))
          throw new AppError('method_not_offered')
        const outcome = await deps.signIn.withPassword({ ...input, binding: BINDING }, origin)
        switch (outcome.status) {
          case 'signed_in':
            return issue(deps, outcome, origin)
          case 'mfa_required':
            await deps.termsTokens.requireOf(outcome.accountId)
            throw await secondStepWanted(deps, outcome)
          case 'email_unverified':
            throw new AppError('email_unverified', {
              extra: { userId: outcome.started.userId, tokenId: outcome.started.tokenId },
            })
        }
      },
    },
    /**
     * The challenge replaces the password, so only it and the code are judged; an address that is
     * sent must be the challenge's.
     */
    second: {
      body: named('SignInSecondBody', {
        email: email.optional(),
        password: password.optional(),
        code,
        token,
      }),
      answer: SignedInAnswer,
      example: {
        body: { email: EMAIL, password: PASSWORD, code: CODE, token: example.STEP_TOKENS.signIn },
        answer: { ...TOKENS, session: SESSION, user: { ...USER, mfa_enabled: true } },
      },
      handle: ({ token: challenge, ...input }, { origin }, deps) =>
        deps.secondStep.answer(
          { challenge, binding: BINDING, code: input.code, email: input.email },
          origin,
          (proven) => issue(deps, proven, origin),
        ),
    },
  }),

  refresh: operation({
    route: 'PATCH /user/refresh',
    guard: refreshToken,
    limit: 'refresh',
    summary: 'Exchange a refresh token',
    description:
      'The old one is spent. Using it again later ends the session: it was stolen, or the new one was.',
    body: named('RefreshBody', { refresh_token: z.string().min(1).max(2048) }),
    answer: Tokens,
    example: { body: { refresh_token: TOKENS.refresh_token }, answer: NEXT_TOKENS },
    handle: (input, _call, { firstPartyTokens }) => firstPartyTokens.refresh(input.refresh_token),
  }),

  /** Answers alike for every address, ends all sessions and signs nobody in (EN-01, EM-08). */
  forgotPassword: twoCalls({
    route: 'PATCH /forgot/password',
    guard: stranger,
    limit: 'forgot',
    summary: 'Set a new password without the old one',
    description:
      'The first call mails a code, if there is an account. The second ends every session; two-step sign-in stays on.',
    refusals: ['invalid_code', 'method_not_offered', 'password_rejected'],
    first: {
      body: named('ForgotPasswordFirstBody', { email }),
      status: 202,
      answer: StartedProof,
      example: { body: { email: EMAIL }, answer: { tokenId: IDS.reset, ...EXPIRES } },
      handle: async (input, { origin }, { passwordReset }) =>
        presentStartedProof(await passwordReset.request(input.email, origin)),
    },
    second: {
      body: named('ForgotPasswordSecondBody', {
        email,
        password: newPassword,
        tokenId: uuid,
        code,
      }),
      answer: named('Nothing', {}),
      example: {
        body: { email: EMAIL, password: example.RESET_PASSWORD, tokenId: IDS.reset, code: CODE },
        answer: {},
      },
      async handle(input, { origin }, { passwordReset }) {
        await passwordReset.completeByCode(input, origin)
        return {}
      },
    },
  }),
})
