import { isMultiFactor } from '../levels.ts'
import type { Method, Proof } from '../method.ts'

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

/** A sign-in there. `amr`: how the person signed in, as far as the operator trusts the provider to say. */
export function upstreamProof(amr: readonly string[]): Method {
  if (amr.length === 0) return UPSTREAM
  const factors = isMultiFactor(amr) ? (['knows', 'has'] as const) : UPSTREAM.factors
  return { ...UPSTREAM, factors, amr: [...UPSTREAM.amr, ...amr] }
}

/** Whether a sign-in has two factors by what a trusted provider said of it, and by nothing else. */
export function broughtTwo(proofs: readonly Proof[]): boolean {
  const [ours = ''] = UPSTREAM.amr
  return proofs.some(({ amr, factors }) => amr.includes(ours) && factors.length > 1)
}

/** What a trusted provider said of how the person signed in there. */
export function toldBy({ id, amr }: Method): readonly string[] {
  return id === UPSTREAM.id ? amr.slice(UPSTREAM.amr.length) : []
}
