import * as body from '../auth/schemas.ts'
import * as answer from './answers.ts'
import * as example from './examples.ts'
import type { Operation } from './operation.ts'

const {
  CODE,
  EMAIL,
  ENROLMENT,
  IDS,
  NEW_EMAIL,
  NEW_PASSWORD,
  PASSWORD,
  RECOVERY_CODES,
  STEP_TOKENS,
  USER,
} = example

const EXPIRES = { expires_in: 600 }
const own = { guard: 'bearer', family: 'Security' } as const
const FRESH = ['reauthentication_required', 'invalid_credentials'] as const

/** What changes how one signs in. */
export const SECURITY_OPERATIONS: readonly Operation[] = [
  {
    ...own,
    id: 'editEmail',
    method: 'patch',
    path: '/edit/email',
    summary: 'Change the address',
    description:
      'The first call mails a code to the new address. The second changes it; the old one gets a link to undo it for three days.',
    refusals: [...FRESH, 'invalid_code'],
    calls: [
      {
        body: body.EditEmail.first,
        request: { email: NEW_EMAIL, password: PASSWORD },
        status: 202,
        answer: answer.StartedProof,
        response: { tokenId: IDS.changeEmail, ...EXPIRES },
      },
      {
        body: body.EditEmail.second,
        request: { email: NEW_EMAIL, tokenId: IDS.changeEmail, code: CODE },
        status: 200,
        answer: answer.UserAnswer,
        response: { user: { ...USER, email: NEW_EMAIL } },
      },
    ],
  },
  {
    ...own,
    id: 'editPassword',
    method: 'patch',
    path: '/edit/password',
    summary: 'Change the password',
    description:
      'The code comes by mail, or from the authenticator when two-step sign-in is on. Every other session ends.',
    refusals: ['invalid_credentials', 'invalid_code', 'password_rejected'],
    calls: [
      {
        body: body.EditPassword.first,
        request: { current_password: PASSWORD },
        status: 202,
        answer: answer.StartedPasswordChange,
        response: { tokenId: IDS.changePassword, method: 'email', ...EXPIRES },
      },
      {
        body: body.EditPassword.second,
        request: { email: EMAIL, password: NEW_PASSWORD, tokenId: IDS.changePassword, code: CODE },
        status: 200,
        answer: answer.UserAnswer,
        response: { user: USER },
      },
    ],
  },
  {
    ...own,
    id: 'enableMfa',
    method: 'post',
    path: '/enable/mfa',
    summary: 'Turn two-step sign-in on',
    description:
      'The first call makes a secret for an authenticator app; nothing changes before the second brings a code of it. Each first call replaces the secret of the one before.',
    refusals: [...FRESH, 'invalid_code', 'mfa_already_enabled', 'mfa_setup_replaced'],
    calls: [
      {
        body: body.EnableMfa.first,
        request: { password: PASSWORD },
        status: 200,
        answer: answer.MfaEnrolment,
        response: ENROLMENT,
      },
      {
        body: body.EnableMfa.second,
        request: { token: STEP_TOKENS.enable, code: CODE },
        status: 200,
        answer: answer.MfaEnabled,
        response: { mfa_enabled: true, recovery_codes: RECOVERY_CODES },
      },
    ],
  },
  {
    ...own,
    id: 'verify',
    method: 'post',
    path: '/verification',
    summary: 'Prove who you are',
    description:
      'For ten minutes the sensitive calls of this session and client are fresh. With two-step sign-in on it takes a code of the authenticator or a recovery code, else the password. An account with neither sends an empty object and is mailed a code, which comes back with its `tokenId`.',
    refusals: ['invalid_credentials', 'invalid_code', 'mfa_required'],
    calls: [
      {
        body: body.Verification.first,
        request: { password: PASSWORD },
        status: 200,
        answer: answer.Proven,
        response: EXPIRES,
      },
      {
        body: body.Verification.second,
        request: { code: CODE },
        status: 200,
        answer: answer.Proven,
        response: EXPIRES,
      },
      {
        status: 202,
        answer: answer.StartedProof,
        response: { tokenId: IDS.changePassword, ...EXPIRES },
      },
    ],
  },
  {
    ...own,
    id: 'regenerateRecoveryCodes',
    method: 'post',
    path: '/recovery-codes',
    summary: 'New recovery codes',
    description: 'Shown this once. The old ones are void.',
    refusals: [...FRESH, 'mfa_not_enabled'],
    calls: [
      {
        body: body.Confirmed,
        isBodyOptional: true,
        request: { password: PASSWORD },
        status: 200,
        answer: answer.RecoveryCodes,
        response: { recovery_codes: RECOVERY_CODES },
      },
    ],
  },
  {
    ...own,
    id: 'disableMfa',
    method: 'post',
    path: '/disable/mfa',
    summary: 'Turn two-step sign-in off',
    description: 'The second call brings a code of the authenticator, or a recovery code.',
    refusals: [...FRESH, 'invalid_code', 'mfa_not_enabled'],
    calls: [
      {
        body: body.DisableMfa.first,
        request: { password: PASSWORD },
        status: 200,
        answer: answer.StartedStep,
        response: { token: STEP_TOKENS.disable, ...EXPIRES },
      },
      {
        body: body.DisableMfa.second,
        request: { code: CODE, token: STEP_TOKENS.disable },
        status: 200,
        answer: answer.MfaDisabled,
        response: { mfa_enabled: false },
      },
    ],
  },
]
