import type { Middleware } from 'koa'
import type { LimitName } from '../../config/limits.ts'
import type { InteractionState } from '../../oidc/interaction-state.ts'
import { showArrivalCode, submitArrivalCode } from './arrival-code.ts'
import { showConnect, submitConnect } from './connect.ts'
import { showConsent, submitConsent } from './consent.ts'
import { submitLoginOrLeave, submitSignUpOrLeave } from './domain-routing.ts'
import { showEmailCode, submitEmailCode } from './email-code.ts'
import type { InteractionDeps, Policy } from './interaction.ts'
import { showLogin } from './login.ts'
import { showMfa, submitMfa } from './mfa.ts'
import {
  showMfaEnrol,
  showRecoveryCodes,
  submitMfaEnrol,
  submitRecoveryCodes,
} from './mfa-enrol.ts'
import { showMissingDetail, submitMissingDetail } from './missing-detail.ts'
import { submitPasskey } from './passkey.ts'
import { showPasskeyOffer, submitPasskeyOffer } from './passkey-offer.ts'
import { showSelectAccount, submitSelectAccount } from './select-account.ts'
import { showSignUp } from './sign-up.ts'
import { showTerms, submitTerms } from './terms.ts'
import { showVerifyEmail, submitVerifyEmail } from './verify-email.ts'

/** A page between an authorization request and its answer. */
export interface InteractionStep {
  /** Its path below the interaction. */
  readonly name: string
  /** `prompt`: what the provider waits for. */
  isDue(state: InteractionState, prompt: string, policy: Policy): boolean
  /** Pages link to it, so it is also shown while another is due. */
  readonly isOpen?: true
  show(deps: InteractionDeps): Middleware
  submit(deps: InteractionDeps): Middleware
  readonly limit?: LimitName
}

/**
 * Every step. The first that is due is where a browser is sent: what the person did last, then what
 * the provider waits for.
 */
export const STEPS: readonly InteractionStep[] = [
  {
    name: 'mfa',
    isDue: ({ mfa }) => mfa !== undefined,
    show: showMfa,
    submit: submitMfa,
    limit: 'verify',
  },
  {
    name: 'verify-email',
    isDue: ({ signUp }) => signUp !== undefined,
    show: showVerifyEmail,
    submit: submitVerifyEmail,
    limit: 'verify',
  },
  {
    name: 'email-code',
    isDue: ({ emailCode }) => emailCode !== undefined,
    show: showEmailCode,
    submit: submitEmailCode,
    limit: 'verify',
  },
  {
    name: 'recovery-codes',
    isDue: ({ enrol, offer }) => enrol?.isDone === true || offer?.isDone === true,
    show: showRecoveryCodes,
    submit: submitRecoveryCodes,
  },
  {
    name: 'mfa-enrol',
    isDue: ({ enrol }, _prompt, policy) => enrol?.isDone === false && policy.level !== '1fa',
    show: showMfaEnrol,
    submit: submitMfaEnrol,
    limit: 'verify',
  },
  {
    name: 'passkey-offer',
    isDue: ({ offer }) => offer?.isDone === false,
    show: showPasskeyOffer,
    submit: submitPasskeyOffer,
    limit: 'verify',
  },
  {
    name: 'arrival',
    isDue: ({ arrival }) => arrival?.stage === 'address' || arrival?.stage === 'name',
    show: showMissingDetail,
    submit: submitMissingDetail,
    limit: 'sign-up',
  },
  {
    name: 'arrival-code',
    isDue: ({ arrival }) => arrival?.stage === 'code',
    show: showArrivalCode,
    submit: submitArrivalCode,
    limit: 'verify',
  },
  {
    name: 'connect',
    isDue: ({ arrival }) => arrival?.stage === 'confirm',
    show: showConnect,
    submit: submitConnect,
    limit: 'verify',
  },
  {
    name: 'terms',
    isDue: (_state, prompt) => prompt === 'terms',
    show: showTerms,
    submit: submitTerms,
  },
  {
    name: 'consent',
    isDue: (_state, prompt) => prompt === 'consent',
    isOpen: true,
    show: showConsent,
    submit: submitConsent,
  },
  {
    name: 'select-account',
    isDue: (_state, prompt) => prompt === 'select_account',
    isOpen: true,
    show: showSelectAccount,
    submit: submitSelectAccount,
  },
  {
    name: 'sign-up',
    isDue: ({ arrival }, prompt) => prompt === 'create' && !arrival,
    isOpen: true,
    show: showSignUp,
    submit: submitSignUpOrLeave,
    limit: 'sign-up',
  },
  {
    // A form of the sign-in page, which is what is shown under its address.
    name: 'passkey',
    isDue: () => false,
    isOpen: true,
    show: showLogin,
    submit: submitPasskey,
    limit: 'sign-in',
  },
  {
    name: 'login',
    isDue: () => true,
    isOpen: true,
    show: showLogin,
    submit: submitLoginOrLeave,
    limit: 'sign-in',
  },
]

/** The name of the step that is due. */
export function dueStep(state: InteractionState, prompt: string, policy: Policy): string {
  return STEPS.find((step) => step.isDue(state, prompt, policy))?.name ?? 'login'
}
