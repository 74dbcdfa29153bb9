/** Who may register, from everybody to nobody: each admits fewer than the one before. */
export const REGISTRATION_MODES = ['open', 'domains', 'invite', 'closed'] as const
export type RegistrationMode = (typeof REGISTRATION_MODES)[number]

/** When a browser has to work for a mail that comes at once. */
export const PROOF_OF_WORK = ['off', 'adaptive', 'always'] as const
export type ProofOfWork = (typeof PROOF_OF_WORK)[number]

/** Both hold: the one that admits fewer. */
export function narrower(
  one: RegistrationMode,
  other: RegistrationMode = 'open',
): RegistrationMode {
  const rank = (mode: RegistrationMode) => REGISTRATION_MODES.indexOf(mode)
  return rank(one) >= rank(other) ? one : other
}
