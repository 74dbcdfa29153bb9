import type { SignInRules } from '../../config/sign-in-rules.ts'
import { LEVELS, type RequiredLevel } from '../../config/sign-in-words.ts'
import type { Method } from './method.ts'
import { METHODS } from './methods/index.ts'

/** What an app says of signing in to it. */
export interface ClientRules {
  /** Those of the operator's that it takes; absent: all. */
  readonly sign_in_methods?: readonly string[]
  readonly require_mfa?: boolean
  readonly require_acr?: RequiredLevel
}

/** Which ways there are, and how strong a sign-in must be: what the operator and an app say. */
export interface SignInPolicy {
  /** What the operator demands of every sign-in. */
  readonly requiredLevel: RequiredLevel
  /** Whether the operator demands two factors of everybody (TF-11). */
  readonly isStrict: boolean
  /** Whether people may use it now: as a first step where it can be one, unless told otherwise. */
  offers(id: Method['id'], client?: ClientRules, step?: 'first' | 'second'): boolean
  /** Whether people may have passkeys here, as whichever step. */
  readonly offersPasskeys: boolean
  /** What is demanded of those who sign in to this app (TF-11). */
  levelFor(client: ClientRules): RequiredLevel
  /** For how long a device may skip the second step; 0: it may not (TF-07). */
  readonly trustedDeviceDays: number
  /** Whether it may on the way to this app: not to one that has demands of its own. */
  takesTrust(client: ClientRules): boolean
}

export function createSignInPolicy({
  methods,
  secondFactors,
  requiredLevel,
  trustedDeviceDays,
}: SignInRules): SignInPolicy {
  const isStrict = requiredLevel !== '1fa'
  return {
    requiredLevel,
    isStrict,
    offers(id, client = {}, step = stepOf(id)) {
      const setting = id === 'security-key' ? 'passkey' : id
      if (!SETTABLE.has(setting)) return true
      if (step === 'second') return secondFactors.some((factor) => factor === setting)
      const { sign_in_methods: taken } = client
      return methods.some((method) => method === id) && (taken?.includes(id) ?? true)
    },
    offersPasskeys: [...methods, ...secondFactors].some((each) => each === 'passkey'),
    levelFor: (client) => strongestLevel(requiredLevel, demandOf(client)),
    trustedDeviceDays,
    takesTrust: (client) => trustedDeviceDays > 0 && demandOf(client) === '1fa',
  }
}

function demandOf({ require_mfa: isTwo, require_acr: own = '1fa' }: ClientRules): RequiredLevel {
  return strongestLevel(own, isTwo === true ? '2fa' : '1fa')
}

/** What no setting names is there wherever it has its rows. */
const SETTABLE = new Set<Method['id']>(['password', 'passkey', 'email-code', 'totp'])

function stepOf(id: Method['id']): 'first' | 'second' {
  return METHODS.find((method) => method.id === id)?.steps[0] ?? 'first'
}

export function strongestLevel(...levels: readonly RequiredLevel[]): RequiredLevel {
  return LEVELS.findLast((level) => levels.includes(level)) ?? '1fa'
}
