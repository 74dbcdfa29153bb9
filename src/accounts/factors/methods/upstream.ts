import type { Method } from '../method.ts'

/** An identity at another provider. What a trusted one says of its sign-in is added to a copy. */
export const UPSTREAM: Method = {
  id: 'upstream',
  steps: ['first'],
  factors: ['has'],
  amr: ['urn:gatehouse:amr:upstream'],
  resistsPhishing: false,
  counts: 'way-in',
  isAvailable: ({ identities }) => identities > 0,
}
