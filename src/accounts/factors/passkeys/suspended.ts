import type { SuspendedFor } from '../../../entities/index.ts'

/** What its use in a second step confirms: it was suspended as the only step, and as nothing else. */
export const CONFIRMED_BY_USE: SuspendedFor = 'reset'

/** `suspendedFor`: null where it is not suspended. */
export function answersSecondStep(suspendedFor: string | null): boolean {
  return suspendedFor === null || suspendedFor === CONFIRMED_BY_USE
}
