import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { ACR, ACR_VALUES } from '../accounts/factors/levels.ts'
import type { SignInPolicy } from '../accounts/factors/sign-in-policy.ts'
import { ACR_OF } from '../config/acr.ts'
import { classesOf, demandedAcr, issuedAcr } from './acr.ts'
import { settingsOf } from './clients/settings.ts'
import { type ToldSignIn, toldSignIn } from './sign-in-result.ts'

type Oidc = KoaContextWithOIDC['oidc']

/** Seconds from the authentication on after which a session ends, however much it is used. */
export interface AbsoluteLifetimes {
  readonly sessionAbsolute: number
  readonly sessionRemembered: number
}

/** Whom the checks of the login prompt ask. */
export interface LevelDeps {
  readonly lifetimes: AbsoluteLifetimes
  readonly signInPolicy: SignInPolicy
  /** Whose trust did for the second step of a session. */
  readonly trustedDevices: { opened(sessionId: string): Promise<boolean> }
  /** Whether a trusted provider brought the two factors of a session. */
  readonly sessions: { isVouched(sessionId: string): Promise<boolean> }
}

/**
 * No check: it never asks for anything. The engine takes `acr` of what it issues from the session;
 * tokens say the class that the app asked for instead, where the sign-in is of it.
 */
export function tellAcr({ oidc }: KoaContextWithOIDC, { lifetimes }: LevelDeps): boolean {
  const held = heldBy(oidc.session, lifetimes)
  if (held) {
    const value = issuedAcr(oidc.params, held)
    Object.defineProperty(oidc, 'acr', { value, configurable: true })
  }
  return false
}

/** What no sign-in can bring, or this one did not, ends the request (TF-10). */
export function lacksAcr({ oidc }: KoaContextWithOIDC, { lifetimes }: LevelDeps): boolean {
  const demanded = demandedAcr(oidc.params)
  const held: readonly string[] = heldBy(oidc.session, lifetimes) ?? []
  if (!demanded || demanded.some((each) => held.includes(each))) return false
  if (toldOf(oidc).hasLogin || !demanded.some((each) => ACR_VALUES.includes(each)))
    throw new errors.UnmetAuthenticationRequirements(
      'the authentication is not of a class that was asked for',
    )
  return true
}

/**
 * Where more than one factor is demanded, no way around the pages leads past it (TF-11): a sign-in
 * counts only if it brought a second factor, and a session only while its account has the factor
 * that it was opened with, or its provider is trusted with two. For the operator's two factors, not
 * for an app's, a device does that its owner trusts (TF-07).
 */
export async function lacksLevel(
  { oidc }: KoaContextWithOIDC,
  { lifetimes, signInPolicy, trustedDevices, sessions }: LevelDeps,
): Promise<boolean> {
  const settings = settingsOf(oidc.client)
  const level = signInPolicy.levelFor(settings)
  if (level === '1fa') return false
  const told = toldOf(oidc)
  const held: readonly string[] = heldBy(oidc.session, lifetimes) ?? []
  const isReached = held.includes(ACR_OF[level])
  const takesTrust = level === '2fa' && signInPolicy.takesTrust(settings)
  if (!told.hasLogin) {
    const uid = oidc.session?.uid ?? ''
    if (oidc.account?.['takesTwoFactors'] !== true)
      return !(isReached && level === '2fa' && (await sessions.isVouched(uid)))
    if (isReached || !takesTrust) return !isReached
    return !(await trustedDevices.opened(uid))
  }
  if (level === '2fa')
    return !told.hasTakenSecondStep && !(takesTrust && told.trustedBy !== undefined)
  if (!isReached)
    throw new errors.UnmetAuthenticationRequirements('the authentication does not resist phishing')
  return false
}

/**
 * The classes of the present sign-in. The second factor of a remembered device counts for a day;
 * after that it is one factor that is remembered (SE-04).
 */
function heldBy(
  session: Oidc['session'],
  { sessionAbsolute }: AbsoluteLifetimes,
): ReturnType<typeof classesOf> | undefined {
  if (!session?.accountId) return undefined
  const { amr = [] } = session as { amr?: readonly string[] }
  return session.past(sessionAbsolute) ? [ACR.singleFactor] : classesOf(amr)
}

export function toldOf(oidc: Oidc): ToldSignIn {
  return toldSignIn((oidc as { result?: unknown }).result)
}
