import { LIFETIMES } from '../../../config/limits.ts'
import { randomToken } from '../../../crypto/token.ts'
import { AppError } from '../../../errors.ts'
import { family, operation, severalCalls } from '../operation.ts'
import type { Person } from '../principal.ts'
import * as example from './examples.ts'
import { code, named, password, token, uuid } from './fields.ts'
import { recovered } from './guards.ts'
import { ASSERTION, REQUESTS, TOKENS_OF_PASSKEYS } from './passkey-examples.ts'
import { AssertionCredential, foreignOrigins, RequestOptions } from './passkey-shapes.ts'
import { PROOF_REFUSALS } from './passkey-sign-in.ts'
import { presentStartedProof, StartedProof, seconds } from './shapes.ts'

const { CODE, EXPIRES, IDS, PASSWORD } = example

const Proven = named('Proven', { expires_in: seconds })
const PROVEN = { expires_in: LIFETIMES.freshAuthentication }
const TOKEN_BITS = 128

export const VERIFICATION = family('Security', {
  verificationOptions: operation({
    route: 'POST /verification/options',
    guard: recovered,
    limit: 'options',
    summary: 'Begin to prove who you are with a passkey',
    refusals: ['method_not_offered'],
    body: named('VerificationOptionsBody', {}),
    isBodyOptional: true,
    answer: RequestOptions,
    example: { body: {}, answer: REQUESTS.proof },
    async handle(_input, { caller }, { passkeys }) {
      const token = randomToken(TOKEN_BITS)
      const binding = bindingOf(caller, token)
      const publicKey = await passkeys.assertionOptions(caller.accountId, binding)
      if (!publicKey) throw new AppError('method_not_offered')
      return { token, expires_in: LIFETIMES.challenge, publicKey }
    },
  }),

  /**
   * What makes the next sensitive calls of this session and client fresh, at the level that the
   * account has (SE-10).
   */
  verify: severalCalls({
    route: 'POST /verification',
    guard: recovered,
    limit: 'sensitive',
    summary: 'Prove who you are',
    description:
      'For ten minutes the sensitive calls of this session and client are fresh. With two-step sign-in on it takes a code of the authenticator, a recovery code or a passkey, else the password. An account with neither sends an empty object and is mailed a code, which comes back with its `tokenId`.',
    refusals: ['invalid_credentials', 'invalid_code', 'mfa_required', ...PROOF_REFUSALS],
    first: {
      body: named('VerificationFirstBody', {
        password: password
          .optional()
          .describe(
            'The current password, of an account without two-step sign-in. One that has none is mailed a code.',
          ),
      }),
      answer: Proven,
      example: { body: { password: PASSWORD }, answer: EXPIRES },
      otherwise: {
        answer: StartedProof,
        example: { answer: { tokenId: IDS.changePassword, ...EXPIRES } },
      },
      async handle(input, { caller, origin }, { stepUp }) {
        if (input.password === undefined)
          return { otherwise: presentStartedProof(await stepUp.mailCode(caller, origin)) }
        await stepUp.byPassword(caller, input.password)
        return PROVEN
      },
    },
    second: {
      body: named('VerificationSecondBody', {
        code,
        tokenId: uuid
          .optional()
          .describe('The identifier that came with the mailed code, if it is one.'),
      }),
      answer: Proven,
      example: { body: { code: CODE }, answer: EXPIRES },
      async handle(input, { caller, origin }, { stepUp }) {
        const { code, tokenId } = input
        if (tokenId === undefined) await stepUp.byCode(caller, code, origin)
        else await stepUp.byMailedCode(caller, { tokenId, code }, origin)
        return PROVEN
      },
    },
    /** The passkeys of an account are a proof at any level that it has. */
    third: {
      body: named('VerificationThirdBody', { token, credential: AssertionCredential }),
      answer: Proven,
      example: {
        body: { token: TOKENS_OF_PASSKEYS.proof, credential: ASSERTION },
        answer: example.EXPIRES,
      },
      async handle({ token, credential }, { caller, origin }, deps) {
        const presented = { credential, binding: bindingOf(caller, token) }
        await deps.stepUp.byPasskey(
          caller,
          { ...presented, origins: await foreignOrigins(deps) },
          origin,
        )
        return PROVEN
      },
    },
  }),
})

/** For one client within one session. */
function bindingOf({ sessionId, clientId }: Person, token: string): string {
  return `verification:${sessionId}:${clientId}:${token}`
}
