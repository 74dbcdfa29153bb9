import type { Method } from '../method.ts'

/** One that checks who holds it, by PIN or body: two factors at once. */
export const PASSKEY: Method = {
  id: 'passkey',
  steps: ['first', 'second'],
  factors: ['has', 'is'],
  amr: ['pop', 'user'],
  resistsPhishing: true,
  counts: 'way-in',
  isAvailable: ({ passkeys }) => passkeys > 0,
}
