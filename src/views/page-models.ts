import type { ErrorCode } from '../errors.ts'
import type { AccountModels } from './account-models.ts'
import type { ApiDocs } from './api-docs-model.ts'
import type { Destination } from './destination.ts'
import type { EnrolmentModels } from './enrolment-models.ts'
import type {
  ApiItem,
  ClaimItem,
  ForeignForm,
  FormModel,
  LeavableStep,
  MessageAction,
  MessageKind,
  NoticeKind,
  PasskeyForm,
  PasskeySignal,
  Person,
  ProviderButton,
  RegistrationModel,
  Resend,
  ScopeItem,
  UpstreamNotice,
} from './models.ts'
import type { RecoveryModels } from './recovery-models.ts'
import type { TrustOffer } from './session-models.ts'
import type { TermsBox, TermsModels, TrapModel } from './sign-up-models.ts'

export type SecondMethod = 'totp' | 'passkey' | 'recovery'

interface CodePage extends LeavableStep {
  readonly email: string
  readonly resend: Resend
  readonly startOverHref: string
  readonly notice?: NoticeKind | undefined
}

/** What each page needs. */
export interface PageModels extends AccountModels, EnrolmentModels, RecoveryModels, TermsModels {
  /**
   * Posts `username`, `password`, `remember=yes`. Every way in that is offered, in one order; which
   * they are depends on the operator and the app, never on the address.
   */
  'interaction/login': LeavableStep & {
    readonly email: string
    readonly asksPassword: boolean
    readonly passkey?: PasskeyForm | undefined
    readonly signal?: PasskeySignal | undefined
    /** Where the form is posted to for a code by mail. */
    readonly codeAction?: string | undefined
    readonly remember?: boolean | undefined
    /**
     * The person is known and confirms who they are: the address is fixed, the links to other
     * accounts are gone.
     */
    readonly isReauthentication?: boolean | undefined
    readonly signUpHref?: string | undefined
    readonly forgotHref?: string | undefined
    /** For those who cannot use a passkey, where they are offered. */
    readonly recoverHref?: string | undefined
    /** Beside a fixed address: the way to sign in as someone else. */
    readonly otherAccountHref?: string | undefined
    readonly notice?: NoticeKind | undefined
    readonly providers?: readonly ProviderButton[] | undefined
    /** What came of a try to come by a provider. */
    readonly upstream?: UpstreamNotice | undefined
  }
  /** A provider did not say it: posts `email`, or `name` and `terms`. */
  'interaction/arrival': LeavableStep & {
    readonly provider: string
    readonly terms?: TermsBox | undefined
    readonly trap: TrapModel
    readonly asks: 'email' | 'name'
    readonly typed: string
    readonly email?: string | undefined
    readonly otherWayHref: string
  }
  /** Posts `decision=connect|skip`. `identity`: who the person is at the provider. */
  'interaction/connect': LeavableStep & {
    readonly provider: string
    readonly person: Person
    readonly identity?: string | undefined
  }
  /** Waits for a code to sign in with. Posts `code`. */
  'interaction/email-code': CodePage
  /** Posts `name`, `email`, `terms`, `password` or `passkey=yes`; has no form where this person may not. */
  'interaction/sign-up': LeavableStep & {
    readonly registration: RegistrationModel
    readonly trap: TrapModel
    readonly terms?: TermsBox | undefined
    /** What the account may be signed in to with. */
    readonly ways: { readonly password: boolean; readonly passkey: boolean; readonly code: boolean }
    readonly name: string
    readonly email: string
    readonly signInHref?: string | undefined
    readonly providers?: readonly ProviderButton[] | undefined
  }
  /** Posts `code`. */
  'interaction/verify-email': CodePage
  /** Posts `decision=allow|deny`. `switchAccount` posts nothing more than itself. */
  'interaction/consent': FormModel & {
    readonly person: Person
    readonly scopes: readonly ScopeItem[]
    readonly claims: readonly ClaimItem[]
    readonly apis: readonly ApiItem[]
    readonly destination: Destination
    /** The app stays connected after the person leaves (`offline_access`). */
    readonly isOffline: boolean
    readonly lifetimeSeconds: number
    readonly revokeHref: string
    readonly switchAccount?: FormModel | undefined
    readonly policyUrl?: string | undefined
    readonly termsUrl?: string | undefined
  }
  /** Posts `choice=continue|other`. */
  'interaction/select-account': LeavableStep & { readonly person: Person }
  /** Posts `code`, `remember=yes`; or, as `passkey`, a passkey. `otherMethods`: the same page with another. */
  'interaction/mfa': LeavableStep & {
    readonly method: SecondMethod
    readonly email: string
    readonly passkey?: PasskeyForm | undefined
    readonly otherMethods: readonly { readonly method: SecondMethod; readonly href: string }[]
    readonly startOverHref?: string | undefined
    readonly remember?: boolean | undefined
    readonly trust?: TrustOffer | undefined
  }

  /** `protocol` is the OAuth error for the app's developer, shown small. */
  'pages/error': {
    readonly code: ErrorCode
    readonly requestId: string
    readonly retryAfterSeconds?: number | undefined
    readonly wayOn?: MessageAction | undefined
    readonly protocol?:
      | { readonly error: string; readonly description?: string | undefined }
      | undefined
  }
  'pages/signed-out': { readonly signInHref?: string | undefined }
  /** Posts the foreign fields and `logout=yes`, or without it to stay signed in. */
  'pages/sign-out': { readonly form: ForeignForm; readonly person?: Person | undefined }
  /** `response_mode=form_post`: the fields go to the app as they are. */
  'pages/form-post': { readonly form: ForeignForm }
  /**
   * Goes on to `href`, an address of the app, by itself. `isToProgram`: another program than the
   * browser opens it. `provider`: it is not the app's address, but that of a provider.
   */
  'pages/leaving': {
    readonly href: string
    readonly isToProgram: boolean
    readonly provider?: string | undefined
  }
  /** Whether an app of the account API may have the sign-in. Posts `decision` (`allow` or `deny`). */
  'pages/app-sign-in': FormModel & {
    readonly person: Person
    readonly destination: Destination
  }
  'pages/api-docs': ApiDocs
  'pages/message': {
    readonly kind: MessageKind
    readonly actions?: readonly MessageAction[] | undefined
  }

  /** Posts `email`. */
  'pages/forgot-password': FormModel & {
    readonly email: string
    readonly signInHref?: string | undefined
  }
  /**
   * Posts `code` (unless a link proves the address), `password`. `email` also fills the hidden
   * username field (UX-5).
   */
  'pages/reset-password': FormModel & {
    readonly email: string
    readonly asksCode: boolean
    /** As it was typed, when only the password was refused. */
    readonly code?: string | undefined
    readonly resend?: Resend | undefined
    readonly startOverHref?: string | undefined
    readonly notice?: NoticeKind | undefined
  }
  /** The landing page of a mailed link: one button that posts the token in `hidden` (UX-28). */
  'pages/verify-link': FormModel & {
    readonly purpose: 'verify_email' | 'change_email'
    readonly email?: string | undefined
  }
  /** Where an invitation lands: one button that posts the token in `hidden`. */
  'pages/invitation': FormModel & { readonly email?: string | undefined }
  /** A sign-up's link in another browser than the one that signed up. Posts `password`, `terms`. */
  'pages/finish-sign-up': FormModel & {
    readonly email: string
    readonly asksPassword: boolean
    readonly terms?: TermsBox | undefined
  }
  /** "This wasn't me": one button that ends all sessions and asks for a new password. */
  'pages/report-compromise': FormModel
  'pages/undo-email': FormModel & { readonly email?: string | undefined }
  'pages/undo-deletion': FormModel & { readonly deletesAt: Date }
}

export type PageName = keyof PageModels
