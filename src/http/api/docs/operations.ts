import * as body from '../auth/schemas.ts'
import * as answer from './answers.ts'
import * as example from './examples.ts'
import type { Operation } from './operation.ts'
import { OWN_OPERATIONS } from './own-operations.ts'

const {
  CODE,
  EMAIL,
  IDS,
  LIFETIME,
  NAME,
  NEXT_TOKENS,
  PASSWORD,
  RESET_PASSWORD,
  SESSION,
  STEP_TOKENS,
  TOKENS,
  USER,
} = example

const EXPIRES = { expires_in: 600 }

/** Getting in: for those without a token, and the exchange of one token for the next. */
const OPEN_OPERATIONS: readonly Operation[] = [
  {
    id: 'signUp',
    method: 'post',
    path: '/sign-up/email',
    family: 'Sign-up',
    summary: 'Sign up',
    description:
      'Mails a code. The answer is the same for an address that has an account; its owner is told by mail.',
    guard: 'public',
    refusals: ['password_rejected'],
    calls: [
      {
        body: body.SignUp,
        request: { name: NAME, email: EMAIL, password: PASSWORD },
        status: 202,
        answer: answer.StartedSignUp,
        response: { userId: IDS.user, tokenId: IDS.signUp, ...EXPIRES },
      },
    ],
  },
  {
    id: 'resendVerification',
    method: 'post',
    path: '/resend/verify/email',
    family: 'Sign-up',
    summary: 'Ask for another code',
    description:
      'Older codes stay good for their ten minutes. A network gets three mails an hour for an address; beyond that the codes that were mailed work in this page too.',
    guard: 'public',
    calls: [
      {
        body: body.Resend,
        request: { email: EMAIL },
        status: 202,
        answer: answer.StartedSignUp,
        response: { userId: IDS.user, tokenId: IDS.resent, ...EXPIRES },
      },
    ],
  },
  {
    id: 'verifyEmail',
    method: 'post',
    path: '/verify/email',
    family: 'Sign-up',
    summary: 'Prove the address',
    description: 'Makes the account. Sign in afterwards.',
    guard: 'public',
    refusals: ['invalid_code'],
    calls: [
      {
        body: body.VerifyEmail,
        request: { code: CODE, userId: IDS.user, tokenId: IDS.resent, email: EMAIL },
        status: 200,
        answer: answer.UserAnswer,
        response: { user: USER },
      },
    ],
  },
  {
    id: 'signIn',
    method: 'post',
    path: '/sign-in/email',
    family: 'Sign-in',
    summary: 'Sign in',
    description:
      'With two-step sign-in on, the first call is refused with `mfa_required` and a token; the second call brings that token and a code. Its address and password may be left out. Without a token and with no `methods`, the operator demands a second factor that the account does not have yet: it is set up on the hosted pages.',
    guard: 'public',
    refusals: ['invalid_credentials', 'mfa_required', 'email_unverified', 'invalid_code'],
    calls: [
      {
        body: body.SignIn.first,
        request: { email: EMAIL, password: PASSWORD },
        status: 200,
        answer: answer.SignedIn,
        response: { ...TOKENS, ...LIFETIME, session: SESSION, user: USER },
      },
      {
        body: body.SignIn.second,
        request: { email: EMAIL, password: PASSWORD, code: CODE, token: STEP_TOKENS.signIn },
        status: 200,
        answer: answer.SignedIn,
        response: {
          ...TOKENS,
          ...LIFETIME,
          session: SESSION,
          user: { ...USER, mfa_enabled: true },
        },
      },
    ],
  },
  {
    id: 'refresh',
    method: 'patch',
    path: '/user/refresh',
    family: 'Sign-in',
    summary: 'Exchange a refresh token',
    description:
      'The old one is spent. Using it again later ends the session: it was stolen, or the new one was.',
    guard: 'token',
    calls: [
      {
        body: body.Refresh,
        request: { refresh_token: TOKENS.refresh_token },
        status: 200,
        answer: answer.Tokens,
        response: { ...NEXT_TOKENS, ...LIFETIME },
      },
    ],
  },
  {
    id: 'forgotPassword',
    method: 'patch',
    path: '/forgot/password',
    family: 'Sign-in',
    summary: 'Set a new password without the old one',
    description:
      'The first call mails a code, if there is an account. The second ends every session; two-step sign-in stays on.',
    guard: 'public',
    refusals: ['invalid_code', 'password_rejected'],
    calls: [
      {
        body: body.ForgotPassword.first,
        request: { email: EMAIL },
        status: 202,
        answer: answer.StartedProof,
        response: { tokenId: IDS.reset, ...EXPIRES },
      },
      {
        body: body.ForgotPassword.second,
        request: { email: EMAIL, password: RESET_PASSWORD, tokenId: IDS.reset, code: CODE },
        status: 200,
        answer: answer.Nothing,
        response: {},
      },
    ],
  },
]

/** Every route of the account API, documented. */
export const OPERATIONS: readonly Operation[] = [...OPEN_OPERATIONS, ...OWN_OPERATIONS]
