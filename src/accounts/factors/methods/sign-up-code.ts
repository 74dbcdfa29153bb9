import type { Method } from '../method.ts'

/**
 * The mailed code of a sign-up whose password is not in force (EM-11): it signs in once, as the
 * account is made, and no account has it afterwards.
 */
export const SIGN_UP_CODE: Method = {
  id: 'sign-up-code',
  steps: ['first'],
  factors: ['has'],
  amr: [],
  resistsPhishing: false,
  counts: 'spare',
  isAvailable: () => false,
}
