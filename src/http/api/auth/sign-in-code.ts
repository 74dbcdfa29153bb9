import { AppError } from '../../../errors.ts'
import { family, twoCalls } from '../operation.ts'
import { CODE, EMAIL, EXPIRES, IDS, SESSION, TOKENS, USER } from './examples.ts'
import { code, email, named, uuid } from './fields.ts'
import { stranger } from './guards.ts'
import { presentStartedProof, StartedProof } from './shapes.ts'
import { BINDING, issue, SignedInAnswer, secondStepWanted } from './signed-in.ts'

export const SIGN_IN_CODE = family('Sign-in', {
  signInByCode: twoCalls({
    route: 'POST /sign-in/code',
    guard: stranger,
    limit: 'sign-in',
    summary: 'Sign in with a code by mail',
    description:
      'Where the operator offers it (`SIGN_IN_METHODS`). The first call mails a code, if the address has an account, and answers alike for every address. The code is good only with the `tokenId` of that call. With two-step sign-in on, the second call is refused with `mfa_required` and a token, which goes to `/sign-in/email` with a code of the second step.',
    refusals: ['method_not_offered', 'invalid_code', 'mfa_required', 'terms_required'],
    first: {
      body: named('SignInCodeFirstBody', { email }),
      status: 202,
      answer: StartedProof,
      example: { body: { email: EMAIL }, answer: { tokenId: IDS.signInCode, ...EXPIRES } },
      // It mails, as what asks for another code does.
      alsoUnder: 'resend',
      async handle(input, { origin }, { signInCodes, signInPolicy }) {
        if (!signInPolicy.offers('email-code')) throw new AppError('method_not_offered')
        const wanted = { email: input.email, binding: BINDING }
        return presentStartedProof(await signInCodes.request(wanted, origin))
      },
    },
    second: {
      body: named('SignInCodeSecondBody', { email, tokenId: uuid, code }),
      answer: SignedInAnswer,
      example: {
        body: { email: EMAIL, tokenId: IDS.signInCode, code: CODE },
        answer: { ...TOKENS, session: SESSION, user: USER },
      },
      async handle(input, { origin }, deps) {
        if (!deps.signInPolicy.offers('email-code')) throw new AppError('method_not_offered')
        const outcome = await deps.signInCodes.answer({ ...input, binding: BINDING }, origin)
        if (outcome.status === 'mfa_required') throw await secondStepWanted(deps, outcome)
        return issue(deps, outcome, origin)
      },
    },
  }),
})
