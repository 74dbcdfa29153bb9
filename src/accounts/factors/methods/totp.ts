import type { Method } from '../method.ts'

/** A code of an authenticator app. */
export const TOTP: Method = {
  id: 'totp',
  steps: ['second'],
  factors: ['has'],
  amr: ['otp'],
  resistsPhishing: false,
  counts: 'second',
  isAvailable: ({ hasTotp }) => hasTotp,
}
