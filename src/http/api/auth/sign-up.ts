import { z } from 'zod'
import type { SignInPolicy } from '../../../accounts/factors/sign-in-policy.ts'
import type { StartedSignUp } from '../../../accounts/sign-up.ts'
import { AppError } from '../../../errors.ts'
import { family, operation } from '../operation.ts'
import {
  CODE,
  EMAIL,
  EXPIRES,
  IDS,
  INVITATION,
  INVITED,
  NAME,
  PASSWORD,
  TERMS,
  USER,
} from './examples.ts'
import { code, email, name, named, newPassword, token, uuid } from './fields.ts'
import { stranger } from './guards.ts'
import { presentUser, seconds, UserAnswer } from './shapes.ts'

const Started = named('StartedSignUp', {
  userId: z.uuid(),
  tokenId: z.uuid(),
  expires_in: seconds,
})

const present = ({ userId, tokenId, expiresInSeconds }: StartedSignUp) => ({
  userId,
  tokenId,
  expires_in: expiresInSeconds,
})

/** Which may be left out where a code to the address signs in, or nothing is typed to sign in. */
const password = newPassword
  .optional()
  .describe('Needed where people sign in by nothing else that is typed.')

/** Throws `method_not_offered` for a password that signs in nobody. */
function withPassword<Input extends { readonly password?: string | undefined }>(
  input: Input,
  { offers }: Pick<SignInPolicy, 'offers'>,
): Omit<Input, 'password'> & { readonly password: string | null } {
  const { password: given } = input
  const hasPasswords = offers('password')
  if (given !== undefined && !hasPasswords) throw new AppError('method_not_offered')
  if (given === undefined && hasPasswords && !offers('email-code'))
    throw new AppError('invalid_input', { fields: { password: 'required' } })
  return { ...input, password: given ?? null }
}

export const SIGN_UP = family('Sign-up', {
  signUp: operation({
    route: 'POST /sign-up/email',
    guard: stranger,
    limit: 'sign-up',
    summary: 'Sign up',
    description:
      'Mails a code. The answer is the same for an address that has an account; its owner is told by mail. Who may not register here gets `registration_closed`, whatever the reason; an address of a domain whose people sign in at a provider gets `method_not_offered`. Where terms have to be accepted, it is refused with `terms_required`, and `/sign-up/accepted` takes its place.',
    refusals: ['password_rejected', 'registration_closed', 'method_not_offered', 'terms_required'],
    body: named('SignUpBody', { name, email, password }),
    status: 202,
    answer: Started,
    example: {
      body: { name: NAME, email: EMAIL, password: PASSWORD },
      answer: { userId: IDS.user, tokenId: IDS.signUp, ...EXPIRES },
    },
    async handle(input, { origin }, { signUp, signInPolicy, termsTokens }) {
      const wanted = withPassword(input, signInPolicy)
      return present(await termsTokens.offering(input.email, () => signUp.start(wanted, origin)))
    },
  }),

  signUpAccepted: operation({
    route: 'POST /sign-up/accepted',
    guard: stranger,
    limit: 'sign-up',
    summary: 'Sign up with accepted terms',
    description: 'As the sign-up without them. `terms_token` is the answer of `/terms`.',
    refusals: [
      'password_rejected',
      'registration_closed',
      'method_not_offered',
      'challenge_expired',
    ],
    body: named('SignUpAcceptedBody', { terms_token: token, name, email, password }),
    status: 202,
    answer: Started,
    example: {
      body: { terms_token: TERMS.accepted, name: NAME, email: EMAIL, password: PASSWORD },
      answer: { userId: IDS.user, tokenId: IDS.signUp, ...EXPIRES },
    },
    async handle({ terms_token, ...input }, { origin }, deps) {
      const { signUp, signInPolicy, termsTokens } = deps
      const wanted = withPassword(input, signInPolicy)
      const termsVersion = termsTokens.versionFor(terms_token, wanted.email)
      return present(await signUp.start({ ...wanted, termsVersion }, origin))
    },
  }),

  signUpInvited: operation({
    route: 'POST /sign-up/invited',
    guard: stranger,
    limit: 'sign-up',
    summary: 'Sign up with an invitation',
    description:
      'Mails a code, as the sign-up without one. `invitation` is the `token` of the link. It is spent by the account, not by this call. Where terms have to be accepted, it is refused with `terms_required`, and takes a `terms_token` then.',
    refusals: [
      'password_rejected',
      'invalid_invitation',
      'registration_closed',
      'method_not_offered',
      'terms_required',
      'challenge_expired',
    ],
    body: named('SignUpInvitedBody', {
      invitation: z.string().min(1).max(128),
      name,
      email,
      password,
      terms_token: token.optional(),
    }),
    status: 202,
    answer: Started,
    example: {
      body: { invitation: INVITATION, name: NAME, email: INVITED, password: PASSWORD },
      answer: { userId: IDS.user, tokenId: IDS.signUp, ...EXPIRES },
    },
    async handle({ invitation, terms_token, ...input }, { origin }, deps) {
      const { invitations, signUp, signInPolicy, termsTokens } = deps
      const wanted = withPassword(input, signInPolicy)
      const { id } = await invitations.peek(invitation)
      const termsVersion =
        terms_token === undefined ? undefined : termsTokens.versionFor(terms_token, wanted.email)
      const invited = { ...wanted, termsVersion, invitation: id }
      return present(await termsTokens.offering(wanted.email, () => signUp.start(invited, origin)))
    },
  }),

  resendVerification: operation({
    route: 'POST /resend/verify/email',
    guard: stranger,
    limit: 'resend',
    summary: 'Ask for another code',
    description:
      'Older codes stay good for their ten minutes. A network gets three mails an hour for an address; beyond that the codes that were mailed work in this page too.',
    body: named('ResendBody', { email }),
    status: 202,
    answer: Started,
    example: {
      body: { email: EMAIL },
      answer: { userId: IDS.user, tokenId: IDS.resent, ...EXPIRES },
    },
    handle: async (input, { origin }, { signUp }) =>
      present(await signUp.resend(input.email, origin)),
  }),

  verifyEmail: operation({
    route: 'POST /verify/email',
    guard: stranger,
    limit: 'verify',
    summary: 'Prove the address',
    description: 'Makes the account. Sign in afterwards.',
    refusals: ['invalid_code', 'registration_closed', 'method_not_offered'],
    body: named('VerifyEmailBody', { code, userId: uuid, tokenId: uuid, email }),
    answer: UserAnswer,
    example: {
      body: { code: CODE, userId: IDS.user, tokenId: IDS.resent, email: EMAIL },
      answer: { user: USER },
    },
    handle: async (input, _call, { signUpProof }) => ({
      user: presentUser(await signUpProof.byCode(input)),
    }),
  }),
})
