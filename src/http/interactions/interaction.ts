import type { Context } from 'koa'
import type { Accounts } from '../../accounts/accounts.ts'
import type { Consents } from '../../accounts/consents.ts'
import type { Devices } from '../../accounts/devices.ts'
import type { Mfa } from '../../accounts/factors/mfa.ts'
import type { Sessions } from '../../accounts/sessions/sessions.ts'
import type { SignIn } from '../../accounts/sign-in.ts'
import type { SignUp } from '../../accounts/sign-up.ts'
import type { SignUpProof } from '../../accounts/sign-up-proof.ts'
import type { Resources } from '../../clients/resources.ts'
import type { InteractionState } from '../../oidc/interaction-state.ts'
import type { Interactions } from '../../oidc/interactions.ts'
import { param } from '../../oidc/param.ts'
import type { DeviceCookie } from '../device-cookie.ts'
import type { Csrf } from '../middleware/csrf.ts'
import type { FlowCookie } from '../pages/flow-cookie.ts'
import type { AskingApp, Renderer } from '../renderer.ts'

export interface InteractionDeps {
  readonly issuer: string
  readonly interactions: Interactions
  readonly accounts: Accounts
  readonly consents: Consents
  readonly resources: Resources
  readonly signIn: SignIn
  readonly mfa: Mfa
  readonly signUp: SignUp
  readonly signUpProof: SignUpProof
  readonly devices: Devices
  readonly sessions: Sessions
  readonly deviceCookie: DeviceCookie
  /** Lets the mailed link know the browser that signed up. */
  readonly signUpFlow: FlowCookie
  readonly renderer: Renderer
  readonly csrf: Csrf
}

/** What each step of an interaction needs to know of it. */
export interface Step {
  readonly uid: string
  readonly app: AskingApp
  readonly state: InteractionState
  readonly interaction: Awaited<ReturnType<Interactions['get']>>['interaction']
  /** URL of a step of this interaction. */
  readonly url: (step: string) => string
}

/** The interaction that URL and cookie name together, loaded once for each request. */
export function loadStep(ctx: Context, deps: InteractionDeps): Promise<Step> {
  ctx.state.step ??= load(ctx, deps)
  return ctx.state.step
}

/** Tells the renderer which language the app asked for, too. */
async function load(ctx: Context, { interactions }: InteractionDeps): Promise<Step> {
  const uid = String(ctx['params']['uid'])
  const { interaction, client, state } = await interactions.get(ctx, uid)
  ctx.state.uiLocales = param(interaction.params, 'ui_locales')
  return {
    uid,
    interaction,
    state,
    app: { client, redirectUri: param(interaction.params, 'redirect_uri') },
    url: (step) => `/interaction/${uid}/${step}`,
  }
}
