import { AppError } from '../../../errors.ts'
import type { Person } from '../principal.ts'
import type { AuthApiDeps } from './deps.ts'

/** A change of the second factor takes two calls: only the session that began may finish. */
type Step = 'enable' | 'disable'
type Deps = Pick<AuthApiDeps, 'challenges'>

const binding = (step: Step, { sessionId }: Person): string => `${step}_mfa:${sessionId}`

export function begin({ challenges }: Deps, step: Step, caller: Person) {
  return challenges.issue(caller.accountId, binding(step, caller))
}

/** Throws `invalid_code`, and counts the try. */
export async function resume(
  { challenges }: Deps,
  step: Step,
  caller: Person,
  challenge: string,
): Promise<void> {
  const { accountId } = await challenges.tryOnce(challenge, binding(step, caller))
  if (accountId !== caller.accountId) throw new AppError('invalid_code')
}
