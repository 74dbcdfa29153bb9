import { isIP } from 'node:net'
import type { Env } from './env-schema.ts'
import type { FIRST_METHODS, RequiredLevel } from './sign-in-words.ts'

export type { RequiredLevel }

/** What the operator says of signing in. */
export interface SignInRules {
  /** What a sign-in may begin with. */
  readonly methods: readonly (typeof FIRST_METHODS)[number][]
  /** What may be added as a second step. */
  readonly secondFactors: readonly ('totp' | 'passkey')[]
  readonly requiredLevel: RequiredLevel
  /** For how long a device may skip the second step; 0: it may not. */
  readonly trustedDeviceDays: number
}

type Given = Pick<
  Env,
  | 'SIGN_IN_METHODS'
  | 'SECOND_FACTORS'
  | 'REQUIRE_LEVEL'
  | 'REQUIRE_MFA'
  | 'TRUSTED_DEVICE_DAYS'
  | 'ISSUER'
>

/** Browsers make no passkey for a host that is an address: none is offered there. */
export function signInRules(env: Given): SignInRules {
  const isOffered = (way: string): boolean => way !== 'passkey' || !hasNumericHost(env.ISSUER)
  return {
    methods: env.SIGN_IN_METHODS.filter(isOffered),
    secondFactors: env.SECOND_FACTORS.filter((factor) => factor !== 'none').filter(isOffered),
    requiredLevel: env.REQUIRE_LEVEL ?? olderLevel(env) ?? '1fa',
    trustedDeviceDays: env.TRUSTED_DEVICE_DAYS,
  }
}

/** What is wrong with these settings together. */
export function signInContradictions(env: Given): string[] {
  const { methods, secondFactors, requiredLevel } = signInRules(env)
  const faults: string[] = []
  const isFirst = methods.includes('passkey')
  const older = olderLevel(env)
  if (older && older !== requiredLevel)
    faults.push('REQUIRE_MFA, REQUIRE_LEVEL: they differ; set REQUIRE_LEVEL only')
  if (env.SECOND_FACTORS.includes('none') && env.SECOND_FACTORS.length > 1)
    faults.push('SECOND_FACTORS: none does not go with others')
  if (methods.length === 0 && env.SIGN_IN_METHODS.length > 0)
    faults.push('SIGN_IN_METHODS: a passkey needs a host name, and ISSUER has an address')
  if (requiredLevel !== '1fa' && secondFactors.length === 0 && !isFirst)
    faults.push('SECOND_FACTORS: none, while REQUIRE_LEVEL demands two factors')
  if (requiredLevel === 'phr' && !isFirst && !secondFactors.includes('passkey'))
    faults.push(
      'REQUIRE_LEVEL: phr needs passkey in SIGN_IN_METHODS or SECOND_FACTORS, and in ISSUER a host name',
    )
  if (requiredLevel === 'phr' && env.TRUSTED_DEVICE_DAYS > 0)
    faults.push('TRUSTED_DEVICE_DAYS: a device is no passkey, which REQUIRE_LEVEL demands')
  return faults
}

function olderLevel({ REQUIRE_MFA }: Given): RequiredLevel | undefined {
  if (REQUIRE_MFA === undefined) return undefined
  return REQUIRE_MFA ? '2fa' : '1fa'
}

/** Whether the issuer is known by an IP address. */
function hasNumericHost(issuer: string | undefined): boolean {
  return issuer !== undefined && isIP(new URL(issuer).hostname.replace(/^\[|\]$/g, '')) !== 0
}
