import { z } from 'zod'
import type { EntityManager } from '../../../database/database.ts'
import type { Account } from '../../../entities/index.ts'
import { AppError } from '../../../errors.ts'
import { qrSvg } from '../../../views/views.ts'
import { family, operation, twoCalls } from '../operation.ts'
import type { Person } from '../principal.ts'
import type { AuthApiDeps } from './deps.ts'
import * as example from './examples.ts'
import { Confirmed, code, confirmation, named, token } from './fields.ts'
import { person, recovered } from './guards.ts'
import { begin, resume } from './mfa-steps.ts'
import { seconds } from './shapes.ts'

const { CODE, EXPIRES, PASSWORD, RECOVERY_CODES, STEP_TOKENS } = example

const FRESH = ['reauthentication_required', 'invalid_credentials'] as const
const recoveryCodes = z.array(z.string()).length(10)

export const PROOFS = family('Security', {
  /**
   * First a secret to scan; nothing is on before a code of it came back (TF-04). The token says of
   * which secret.
   */
  enableMfa: twoCalls({
    route: 'POST /enable/mfa',
    guard: recovered,
    limit: 'sensitive',
    summary: 'Turn two-step sign-in on',
    description:
      'The first call makes a secret for an authenticator app; nothing changes before the second brings a code of it. Each first call replaces the secret of the one before.',
    refusals: [
      ...FRESH,
      'invalid_code',
      'mfa_already_enabled',
      'mfa_setup_replaced',
      'method_not_offered',
    ],
    first: {
      body: named('EnableMfaFirstBody', { password: confirmation }),
      answer: named('MfaEnrolment', {
        token: z.string(),
        secret: z.string().describe('Base32, for typing.'),
        otpauth_uri: z.string(),
        qr_svg: z.string().describe('The same as a picture.'),
        expires_in: seconds,
      }),
      example: { body: { password: PASSWORD }, answer: example.ENROLMENT },
      async handle(input, { caller }, deps) {
        await deps.stepUp.require(caller, input.password)
        const { id, ...enrolment } = await deps.mfa.enrol(await accountOf(deps, caller))
        const { challenge } = await begin(deps, 'enable', caller)
        return {
          token: `${challenge}.${id}`,
          secret: enrolment.secret,
          otpauth_uri: enrolment.otpauthUri,
          qr_svg: qrSvg(enrolment.otpauthUri),
          expires_in: enrolment.expiresInSeconds,
        }
      },
    },
    second: {
      body: named('EnableMfaSecondBody', { token, code }),
      answer: named('MfaEnabled', {
        mfa_enabled: z.literal(true),
        recovery_codes: recoveryCodes,
      }),
      example: {
        body: { token: STEP_TOKENS.enable, code: CODE },
        answer: { mfa_enabled: true, recovery_codes: RECOVERY_CODES },
      },
      async handle(input, { caller, origin }, deps) {
        const [challenge = '', enrolmentId = ''] = input.token.split('.')
        await deps.stepUp.requireStill(caller)
        await resume(deps, 'enable', caller, challenge)
        const { accountId, sessionId } = caller
        const codes = await deps.mfa.confirm({ accountId, enrolmentId, code: input.code }, origin, {
          sessionId,
          alongside: (tx: EntityManager) => deps.challenges.spend(tx, challenge),
        })
        return { mfa_enabled: true as const, recovery_codes: codes }
      },
    },
  }),

  regenerateRecoveryCodes: operation({
    route: 'POST /recovery-codes',
    guard: person,
    limit: 'sensitive',
    summary: 'New recovery codes',
    description: 'Shown this once. The old ones are void.',
    refusals: [...FRESH, 'mfa_not_enabled'],
    body: Confirmed,
    isBodyOptional: true,
    answer: named('RecoveryCodes', { recovery_codes: recoveryCodes }),
    example: { body: { password: PASSWORD }, answer: { recovery_codes: RECOVERY_CODES } },
    async handle(input, { caller, origin }, { recoveryCodes, stepUp }) {
      await stepUp.require(caller, input.password)
      return { recovery_codes: await recoveryCodes.regenerate(caller.accountId, origin) }
    },
  }),

  /** The password or a fresh sign-in first, then a code of the second factor itself (TF-05). */
  disableMfa: twoCalls({
    route: 'POST /disable/mfa',
    guard: recovered,
    limit: 'sensitive',
    summary: 'Turn two-step sign-in off',
    description: 'The second call brings a code of the authenticator, or a recovery code.',
    refusals: [...FRESH, 'invalid_code', 'mfa_not_enabled'],
    first: {
      body: named('DisableMfaFirstBody', { password: confirmation }),
      answer: named('StartedStep', { token: z.string(), expires_in: seconds }),
      example: {
        body: { password: PASSWORD },
        answer: { token: STEP_TOKENS.disable, ...EXPIRES },
      },
      async handle(input, { caller }, deps) {
        await deps.stepUp.require(caller, input.password)
        if (!(await accountOf(deps, caller)).mfaEnabled) throw new AppError('mfa_not_enabled')
        const { challenge, expiresInSeconds } = await begin(deps, 'disable', caller)
        return { token: challenge, expires_in: expiresInSeconds }
      },
    },
    second: {
      body: named('DisableMfaSecondBody', { code, token }),
      answer: named('MfaDisabled', { mfa_enabled: z.literal(false) }),
      example: {
        body: { code: CODE, token: STEP_TOKENS.disable },
        answer: { mfa_enabled: false },
      },
      async handle({ token, code }, { caller, origin }, deps) {
        await resume(deps, 'disable', caller, token)
        await deps.mfa.disable(caller.accountId, code, origin, (tx) =>
          deps.challenges.spend(tx, token),
        )
        return { mfa_enabled: false as const }
      },
    },
  }),
})

async function accountOf({ sessions }: AuthApiDeps, { sessionId }: Person): Promise<Account> {
  const session = await sessions.find(sessionId)
  if (!session) throw new AppError('invalid_token')
  return session.account
}
