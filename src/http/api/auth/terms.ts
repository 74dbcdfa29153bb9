import { z } from 'zod'
import { LIFETIMES } from '../../../config/limits.ts'
import { family, operation } from '../operation.ts'
import { EXPIRES, TERMS } from './examples.ts'
import { named, token } from './fields.ts'
import { stranger } from './guards.ts'
import { seconds } from './shapes.ts'

export const TERMS_OPERATIONS = family('Terms', {
  acceptTerms: operation({
    route: 'POST /terms',
    guard: stranger,
    limit: 'verify',
    summary: 'Accept the terms',
    description:
      'For the `token` and `version` of a refusal `terms_required`, once the person has been shown its `url` and has agreed. After a right password the acceptance is stored, and the person signs in again. Before a sign-up the answer has a `terms_token` for it.',
    refusals: ['terms_required', 'challenge_expired'],
    body: named('AcceptTermsBody', { token, version: z.string().min(1).max(32) }),
    answer: named('TermsAccepted', {
      terms_token: z.string().optional().describe('Good for one address, for `expires_in`.'),
      expires_in: seconds.optional(),
    }),
    example: {
      body: { token: TERMS.token, version: TERMS.version },
      answer: { terms_token: TERMS.accepted, ...EXPIRES },
    },
    async handle({ token, version }, { origin }, { acceptances, termsTokens }) {
      const accepted = termsTokens.accepted(token, version)
      if ('termsToken' in accepted)
        return { terms_token: accepted.termsToken, expires_in: LIFETIMES.termsToken }
      await acceptances.accept(accepted.accountId, { version }, origin)
      return {}
    },
  }),
})
