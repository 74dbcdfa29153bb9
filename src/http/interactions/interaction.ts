import type { Context } from 'koa'
import type { Accounts } from '../../accounts/accounts.ts'
import type { Consents } from '../../accounts/consents.ts'
import type { Devices } from '../../accounts/devices.ts'
import type { Method } from '../../accounts/factors/method.ts'
import type { Passkeys } from '../../accounts/factors/passkeys/passkeys.ts'
import type { SecondStep } from '../../accounts/factors/second-step.ts'
import type { SignInPolicy } from '../../accounts/factors/sign-in-policy.ts'
import type { Totp } from '../../accounts/factors/totp.ts'
import type { FirstStep, ProvenSignIn } from '../../accounts/first-step.ts'
import type { AddressProof } from '../../accounts/identities/address-proof.ts'
import type { Joining } from '../../accounts/identities/joining.ts'
import type { Meetings } from '../../accounts/identities/meetings.ts'
import type { Acceptances } from '../../accounts/registration/acceptances.ts'
import type { Invitations } from '../../accounts/registration/invitations.ts'
import type { Registration } from '../../accounts/registration/registration.ts'
import type { Sessions } from '../../accounts/sessions/sessions.ts'
import type { SignIn } from '../../accounts/sign-in.ts'
import type { SignInCodes } from '../../accounts/sign-in-codes.ts'
import type { SignUp } from '../../accounts/sign-up.ts'
import type { SignUpProof } from '../../accounts/sign-up-proof.ts'
import type { TrustedDevices } from '../../accounts/trusted-devices.ts'
import type { Resources } from '../../clients/resources.ts'
import type { RequiredLevel } from '../../config/sign-in-rules.ts'
import { AppError } from '../../errors.ts'
import { settingsOf } from '../../oidc/clients/settings.ts'
import type { InteractionState } from '../../oidc/interaction-state.ts'
import type { Interactions } from '../../oidc/interactions.ts'
import { param } from '../../oidc/param.ts'
import type { SignedIn } from '../../oidc/sign-in-result.ts'
import type { UpstreamArrivals } from '../../upstream/arrivals.ts'
import type { UpstreamJourneys } from '../../upstream/journeys.ts'
import type { Providers } from '../../upstream/providers.ts'
import type { Cookie } from '../cookies.ts'
import type { DeviceCookie } from '../device-cookie.ts'
import type { Csrf } from '../middleware/csrf.ts'
import type { FlowCookie } from '../pages/flow-cookie.ts'
import type { AskingApp, Renderer } from '../renderer.ts'
import { seeOther } from '../see-other.ts'
import type { SignUpTrap } from '../sign-up-trap.ts'
import type { UpstreamCookie } from '../upstream-cookie.ts'

/** An account of which a sign-in has proven what it takes. */
export type Proven = ProvenSignIn &
  Pick<SignedIn, 'isRemembered' | 'upstream'> & {
    /** The person wants this browser to skip the second step from now on. */
    readonly wantsTrust?: boolean | undefined
  }

export interface InteractionDeps {
  readonly issuer: string
  readonly interactions: Interactions
  readonly accounts: Accounts
  readonly consents: Consents
  readonly resources: Resources
  readonly signIn: SignIn
  readonly signInCodes: SignInCodes
  readonly signInPolicy: SignInPolicy
  readonly mfa: Totp
  readonly secondStep: SecondStep
  readonly passkeys: Passkeys
  readonly registration: Registration
  readonly acceptances: Acceptances
  readonly invitations: Invitations
  readonly invitationCookie: Cookie
  readonly signUp: SignUp
  readonly signUpProof: SignUpProof
  readonly devices: Devices
  readonly trustedDevices: TrustedDevices
  readonly sessions: Sessions
  readonly firstStep: FirstStep
  readonly providers: Providers
  readonly journeys: UpstreamJourneys
  readonly arrivals: UpstreamArrivals
  readonly meetings: Meetings
  readonly addressProof: AddressProof
  readonly joining: Joining
  readonly upstreamCookie: UpstreamCookie
  readonly deviceCookie: DeviceCookie
  /** Lets the mailed link know the browser that signed up. */
  readonly signUpFlow: FlowCookie
  readonly renderer: Renderer
  readonly csrf: Csrf
  readonly signUpTrap: SignUpTrap
}

/** What each step of an interaction needs to know of it. */
export interface Step {
  readonly uid: string
  readonly app: AskingApp
  readonly state: InteractionState
  readonly interaction: Awaited<ReturnType<Interactions['get']>>['interaction']
  /** What the operator and the app demand of a sign-in. */
  readonly policy: Policy
  /** Whether a sign-in to this app may begin with it: the same for every address. */
  readonly offers: (method: Method['id']) => boolean
  /** URL of a step of this interaction. */
  readonly url: (step: string) => string
  /** Keeps what the next step is to find, and sends the browser to the one that is due then. */
  readonly goOn: (state: InteractionState) => Promise<void>
  /** For what was begun and does not hold any more. */
  readonly startOver: () => void
}

export interface Policy {
  /** What a sign-in must reach: the operator, the app or its request says so. */
  readonly level: RequiredLevel
  /** Whether a trusted device may skip the second step. */
  readonly takesTrust: boolean
}

/** Which step is due: `steps.ts` decides. */
export type DueStep = (state: InteractionState, prompt: string, policy: Policy) => string

/** What a challenge of this interaction is bound to. */
export function bindingOf({ uid }: Step): string {
  return `interaction:${uid}`
}

/** The interaction of this request, which the router has loaded. */
export function stepOf(ctx: Context): Step {
  const { step } = ctx.state
  if (!step) throw new Error('this route is no step of an interaction')
  return step
}

/**
 * The interaction that URL and cookie name together. Tells the renderer which language the app
 * asked for, too.
 */
export async function loadStep(
  ctx: Context,
  { interactions, signInPolicy }: InteractionDeps,
  dueStep: DueStep,
): Promise<Step> {
  const uid = String(ctx['params']['uid'])
  const { interaction, client, state } = await interactions.get(ctx, uid)
  ctx.state.uiLocales = param(interaction.params, 'ui_locales')
  const url = (step: string) => `/interaction/${uid}/${step}`
  const policy = {
    level: interactions.demandedLevel(client, interaction),
    // Two sign-ins are connected at the level of the account.
    takesTrust: !state.arrival && interactions.takesTrust(client, interaction),
  }
  const step: Step = {
    uid,
    interaction,
    state,
    policy,
    offers: (method) => signInPolicy.offers(method, settingsOf(client)),
    app: { client, redirectUri: param(interaction.params, 'redirect_uri') },
    url,
    async goOn(next) {
      await interactions.remember(interaction, next)
      seeOther(ctx, url(dueStep(next, interaction.prompt.name, policy)))
    },
    startOver: () => seeOther(ctx, url('login')),
  }
  ctx.state.step = step
  return step
}

/** Throws `method_not_offered`. What is off is off for every address, and is asked before any is looked at. */
export function requireOffered(step: Step, method: Method['id']): void {
  if (!step.offers(method)) throw new AppError('method_not_offered')
}
