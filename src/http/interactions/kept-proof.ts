import { methodsOf } from '../../accounts/factors/methods/index.ts'
import { toldBy } from '../../accounts/factors/methods/upstream.ts'
import type { KeptProof } from '../../oidc/interaction-state.ts'
import type { Proven } from './interaction.ts'

/** What was shown of an account, as an interaction keeps it until the person has said what for. */
export function kept(proven: Proven): KeptProof {
  const { accountId, credentialVersion, isRemembered, wantsTrust, proofs } = proven
  const methods = proofs.map(({ id }) => id)
  const told = proofs.flatMap(toldBy)
  return { accountId, credentialVersion, isRemembered, wantsTrust, methods, told }
}

/** Undefined where another version kept it. */
export function provenBy(proof: KeptProof | undefined): Proven | undefined {
  if (!proof) return undefined
  const { accountId, credentialVersion, isRemembered, wantsTrust, methods, told } = proof
  const proofs = methodsOf(methods, told)
  return proofs && { accountId, credentialVersion, isRemembered, wantsTrust, proofs }
}
