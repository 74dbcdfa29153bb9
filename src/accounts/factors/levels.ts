/** Authentication context classes that we issue and accept in `acr_values`, weakest first. */
export const ACR = {
  singleFactor: 'urn:gatehouse:acr:1fa',
  multiFactor: 'urn:gatehouse:acr:2fa',
} as const

export const ACR_VALUES: readonly string[] = [ACR.singleFactor, ACR.multiFactor]

/**
 * The class that a set of RFC 8176 methods reaches; a recovery code never counts as a second factor
 * (TF-10).
 */
export function acrFor(amr: readonly string[]): string {
  return amr.includes('mfa') ? ACR.multiFactor : ACR.singleFactor
}

/**
 * Whether two factors are demanded: by the operator of everyone, or of those who sign in to this
 * client (TF-11).
 */
export function demandsSecondFactor(
  { requireMfa }: { requireMfa: boolean },
  client: Readonly<Record<string, unknown>> | undefined,
): boolean {
  return requireMfa || client?.['require_mfa'] === true
}
