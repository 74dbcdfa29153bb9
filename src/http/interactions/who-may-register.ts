import type { RegistrationOffer } from '../../accounts/registration/registration.ts'
import { settingsOf } from '../../oidc/clients/settings.ts'
import type { InteractionDeps, Step } from './interaction.ts'

/** Who may register through the app that asks. */
export function offerOf({ registration }: InteractionDeps, { app }: Step): RegistrationOffer {
  return registration.offer(settingsOf(app.client).registration)
}

/** Where an account is made, if anybody may make one without an invitation. */
export function signUpHref(deps: InteractionDeps, step: Step): string | undefined {
  const { mode } = offerOf(deps, step)
  return mode === 'open' || mode === 'domains' ? step.url('sign-up') : undefined
}
