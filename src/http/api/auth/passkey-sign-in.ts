import { LIFETIMES } from '../../../config/limits.ts'
import { randomToken } from '../../../crypto/token.ts'
import { AppError } from '../../../errors.ts'
import { family, operation } from '../operation.ts'
import type { AuthApiDeps } from './deps.ts'
import { SESSION, STEP_TOKENS, TOKENS, USER } from './examples.ts'
import { named, token } from './fields.ts'
import { stranger } from './guards.ts'
import { ASSERTION, REQUESTS, TOKENS_OF_PASSKEYS } from './passkey-examples.ts'
import { AssertionCredential, foreignOrigins, RequestOptions } from './passkey-shapes.ts'
import { BINDING, issue, SignedInAnswer } from './signed-in.ts'

export const PROOF_REFUSALS = ['passkey_unknown', 'passkey_refused', 'challenge_expired'] as const
const TOKEN_BITS = 128

export const PASSKEY_SIGN_IN = family('Sign-in', {
  passkeyOptions: operation({
    route: 'POST /passkey/options',
    guard: stranger,
    limit: 'options',
    summary: 'Begin to sign in with a passkey',
    description:
      'It asks for any passkey that the device has for this server, and says nothing of accounts.',
    refusals: ['method_not_offered'],
    body: named('PasskeyOptionsBody', {}),
    answer: RequestOptions,
    example: { body: {}, answer: REQUESTS.signIn },
    async handle(_input, _call, deps) {
      ensureOffered(deps)
      const token = randomToken(TOKEN_BITS)
      const publicKey = deps.passkeys.signInOptions(bindingOf(token))
      return { token, expires_in: LIFETIMES.challenge, publicKey }
    },
  }),

  signInWithPasskey: operation({
    route: 'POST /sign-in/passkey',
    guard: stranger,
    limit: 'passkey',
    summary: 'Sign in with a passkey',
    description:
      'A passkey is both factors: no second step follows. Only `passkey_unknown` may be signalled to the device, which then forgets the passkey.',
    refusals: [...PROOF_REFUSALS, 'method_not_offered', 'terms_required'],
    body: named('PasskeySignInBody', { token, credential: AssertionCredential }),
    answer: SignedInAnswer,
    example: {
      body: { token: TOKENS_OF_PASSKEYS.signIn, credential: ASSERTION },
      answer: { ...TOKENS, session: SESSION, user: { ...USER, mfa_enabled: true } },
    },
    async handle({ token, credential }, { origin }, deps) {
      ensureOffered(deps)
      const presented = {
        credential,
        binding: bindingOf(token),
        origins: await foreignOrigins(deps),
      }
      return issue(deps, await deps.passkeys.proveFirst(presented, origin), origin)
    },
  }),

  secondStepOptions: operation({
    route: 'POST /sign-in/mfa/options',
    guard: stranger,
    limit: 'options',
    summary: 'Begin the second step with a passkey',
    description:
      'For a token of `mfa_required` whose `methods` name `passkey`. It asks for the passkeys and security keys of that account.',
    refusals: ['invalid_code', 'method_not_offered'],
    body: named('SecondStepOptionsBody', { token }),
    answer: RequestOptions,
    example: {
      body: { token: STEP_TOKENS.signIn },
      answer: { ...REQUESTS.proof, token: STEP_TOKENS.signIn },
    },
    async handle({ token }, _call, { challenges, secondStep }) {
      const accountId = await challenges.accountOf(token, BINDING)
      const publicKey = await secondStep.passkeyOptions(accountId, token)
      if (!publicKey) throw new AppError('method_not_offered')
      return { token, expires_in: LIFETIMES.challenge, publicKey }
    },
  }),

  secondStepWithPasskey: operation({
    route: 'POST /sign-in/mfa',
    guard: stranger,
    limit: 'passkey',
    summary: 'Take the second step with a passkey',
    refusals: [...PROOF_REFUSALS, 'terms_required'],
    body: named('SecondStepBody', { token, credential: AssertionCredential }),
    answer: SignedInAnswer,
    example: {
      body: { token: STEP_TOKENS.signIn, credential: ASSERTION },
      answer: { ...TOKENS, session: SESSION, user: { ...USER, mfa_enabled: true } },
    },
    async handle({ token: challenge, credential }, { origin }, deps) {
      const answer = {
        challenge,
        binding: BINDING,
        credential,
        origins: await foreignOrigins(deps),
      }
      return deps.secondStep.answerWithPasskey(answer, origin, (proven) =>
        issue(deps, proven, origin),
      )
    },
  }),
})

const bindingOf = (token: string): string => `api:${token}`

function ensureOffered({ signInPolicy }: AuthApiDeps): void {
  if (!signInPolicy.offers('passkey')) throw new AppError('method_not_offered')
}
