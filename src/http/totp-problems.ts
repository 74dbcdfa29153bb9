import type { Enrolment } from '../accounts/factors/totp.ts'
import type { Problems } from '../views/views.ts'

/** A code of an authenticator is no mailed one: there is none to ask for, but a next one to wait for. */
export function totpProblems(problems: Problems | undefined): Problems | undefined {
  return problems?.code === 'invalid_code' ? { fields: { code: 'wrong' } } : problems
}

/** A set-up's form that was refused, and whose key it had shown. */
export interface RefusedEnrolment {
  readonly problems: Problems
  readonly enrolment: string
}

/**
 * That another key is shown now comes before all else: the person must scan again (TF-04).
 */
export function enrolmentProblems(
  refused: RefusedEnrolment | undefined,
  shown: Enrolment,
): Problems | undefined {
  return refused && refused.enrolment !== shown.id
    ? { code: 'mfa_setup_replaced' }
    : totpProblems(refused?.problems)
}
