import type { Ceremony, StatelessChallenges } from '../../../crypto/challenge.ts'
import { sha256 } from '../../../crypto/token.ts'
import { AppError } from '../../../errors.ts'
import { type ClientData, readClientData } from './credential.ts'

export interface Answered {
  readonly clientData: ClientData
  /** What spends it. */
  readonly spending: readonly [digest: Buffer, expiresAt: Date]
}

/** The challenge that a credential answers, if it is one of ours. Throws `challenge_expired`. */
export function answeredChallenge(
  challenges: StatelessChallenges,
  clientDataJson: string,
  ceremony: Ceremony,
  binding: string,
): Answered {
  const clientData = readClientData(clientDataJson)
  if (!clientData) throw new AppError('passkey_refused')
  const expiresAt = challenges.judge(clientData.challenge, ceremony, binding)
  if (!expiresAt) throw new AppError('challenge_expired')
  return { clientData, spending: [sha256(clientData.challenge), expiresAt] }
}
