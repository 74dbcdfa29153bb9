import type { Method } from '../method.ts'

/** Takes the place of a lost second factor for one sign-in, and never counts as one (TF-10). */
export const RECOVERY_CODE: Method = {
  id: 'recovery-code',
  steps: ['second'],
  factors: [],
  amr: [],
  resistsPhishing: false,
  counts: 'spare',
  isAvailable: ({ recoveryCodes }) => recoveryCodes > 0,
}
