import type { z } from 'zod'
import type { MfaChallenges } from '../../../accounts/factors/challenges.ts'
import type { Mfa } from '../../../accounts/factors/mfa.ts'
import type { RecoveryCodes } from '../../../accounts/factors/recovery-codes.ts'
import type { StepUp } from '../../../accounts/factors/step-up.ts'
import type { Sessions } from '../../../accounts/sessions/sessions.ts'
import type { EntityManager } from '../../../database/database.ts'
import type { Account } from '../../../entities/index.ts'
import { AppError } from '../../../errors.ts'
import { qrSvg } from '../../../views/views.ts'
import type { Principal } from '../../middleware/bearer-auth.ts'
import { type Handler, ok, type TwoHandlers } from './call.ts'
import type * as body from './schemas.ts'

export interface MfaDeps {
  readonly mfa: Mfa
  readonly challenges: MfaChallenges
  readonly stepUp: StepUp
  readonly recoveryCodes: RecoveryCodes
  readonly sessions: Sessions
}

type Password = z.infer<typeof body.Confirmed>
type Proof = z.infer<typeof body.EnableMfa.second>

/**
 * First a secret to scan; nothing is on before a code of it came back (TF-04). The token says of
 * which secret.
 */
export function enableMfa({
  mfa,
  challenges,
  sessions,
  stepUp,
}: MfaDeps): TwoHandlers<Password, Proof> {
  return {
    async first({ password }, { caller }) {
      await stepUp.require(caller, password)
      const { id, secret, otpauthUri, expiresInSeconds } = await mfa.enrol(
        await accountOf(sessions, caller),
      )
      const { challenge } = await challenges.issue(caller.accountId, binding('enable', caller))
      return ok({
        token: `${challenge}.${id}`,
        secret,
        otpauth_uri: otpauthUri,
        qr_svg: qrSvg(otpauthUri),
        expires_in: expiresInSeconds,
      })
    },
    async second({ token, code }, { caller, origin }) {
      const [challenge = '', enrolmentId = ''] = token.split('.')
      await redeem(challenges, challenge, 'enable', caller)
      const { accountId, sessionId } = caller
      const alongside = (tx: EntityManager) => challenges.spend(tx, challenge)
      const codes = await mfa.confirm({ accountId, enrolmentId, code }, origin, {
        sessionId,
        alongside,
      })
      return ok({ mfa_enabled: true, recovery_codes: codes })
    },
  }
}

/** The password or a fresh sign-in first, then a code of the second factor itself (TF-05). */
export function disableMfa({
  mfa,
  challenges,
  sessions,
  stepUp,
}: MfaDeps): TwoHandlers<Password, Proof> {
  return {
    async first({ password }, { caller }) {
      await stepUp.require(caller, password)
      if (!(await accountOf(sessions, caller)).mfaEnabled) throw new AppError('mfa_not_enabled')
      const { challenge, expiresInSeconds } = await challenges.issue(
        caller.accountId,
        binding('disable', caller),
      )
      return ok({ token: challenge, expires_in: expiresInSeconds })
    },
    async second({ token, code }, { caller, origin }) {
      await redeem(challenges, token, 'disable', caller)
      await mfa.disable(caller.accountId, code, origin, (tx) => challenges.spend(tx, token))
      return ok({ mfa_enabled: false })
    },
  }
}

export function regenerateRecoveryCodes({ recoveryCodes, stepUp }: MfaDeps): Handler<Password> {
  return async ({ password }, { caller, origin }) => {
    await stepUp.require(caller, password)
    return ok({ recovery_codes: await recoveryCodes.regenerate(caller.accountId, origin) })
  }
}

async function accountOf(sessions: Sessions, { sessionId }: Principal): Promise<Account> {
  const session = await sessions.find(sessionId)
  if (!session) throw new AppError('invalid_token')
  return session.account
}

/** Only the session that began may finish. */
function binding(step: 'enable' | 'disable', { sessionId }: Principal): string {
  return `${step}_mfa:${sessionId}`
}

async function redeem(
  challenges: MfaChallenges,
  token: string,
  step: 'enable' | 'disable',
  caller: Principal,
): Promise<void> {
  if ((await challenges.tryOnce(token, binding(step, caller))) !== caller.accountId)
    throw new AppError('invalid_code')
}
