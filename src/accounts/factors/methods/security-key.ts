import type { Method } from '../method.ts'

/** A key that has not shown that it checks who holds it: it confirms a way in, and is none. */
export const SECURITY_KEY: Method = {
  id: 'security-key',
  steps: ['second'],
  factors: ['has'],
  amr: ['pop', 'user'],
  resistsPhishing: true,
  counts: 'second',
  isAvailable: ({ securityKeys }) => securityKeys > 0,
}
