import type { Method } from '../method.ts'

/**
 * A code to the address. Never a second step: a reset comes the same way. Its `amr` is our own,
 * since apps read `otp` as an authenticator.
 */
export const EMAIL_CODE: Method = {
  id: 'email-code',
  steps: ['first'],
  factors: ['has'],
  amr: ['urn:gatehouse:amr:email'],
  resistsPhishing: false,
  counts: 'way-in',
  isOfAddress: true,
  isAvailable: ({ hasProvenAddress }) => hasProvenAddress,
}
