import type { AppError, ErrorCode } from '../errors.ts'
import type { Locale } from './languages.ts'

/** Why the last submission was refused, in codes; the page finds the words in its own language. */
export interface Problems {
  readonly code?: ErrorCode
  /**
   * Reason by field name: `password: 'too_common'`. A reason without words of its own reads "Check
   * this field".
   */
  readonly fields?: Readonly<Record<string, string>>
  readonly retryAfterSeconds?: number
}

/** The problems of a refusal, for a form that is shown again. */
export function problemsOf({ code, details: { fields, retryAfterSeconds } }: AppError): Problems {
  return {
    code,
    ...(fields ? { fields } : {}),
    ...(retryAfterSeconds ? { retryAfterSeconds } : {}),
  }
}

/** A form of ours: posts urlencoded to `action` with `_csrf`, and `hidden` as further hidden fields. */
export interface FormModel {
  readonly action: string
  readonly csrf: string
  readonly hidden?: Readonly<Record<string, string>> | undefined
  readonly problems?: Problems | undefined
}

/**
 * A form that belongs to someone else (the provider, an app): its hidden fields as they are,
 * without `_csrf`.
 */
export interface ForeignForm {
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

/** Who may make an account; `domains` only where they are to be shown. */
export interface RegistrationModel {
  readonly mode: 'open' | 'domains' | 'invite' | 'closed'
  readonly domains?: readonly string[] | undefined
  /** Whom the invitation is for that this browser has opened; masked, unless it is fixed. */
  readonly invited?: string | undefined
  readonly isFixed?: boolean | undefined
}

export interface Person {
  readonly name?: string | undefined
  readonly email: string
}

/**
 * "Send it again": a form of its own; `availableInSeconds` 0 means now. The server decides, the
 * page only counts down.
 */
export interface Resend extends FormModel {
  readonly availableInSeconds: number
}

/** A step that the person may end without finishing it: the way back to the app, if there is one. */
export interface LeavableStep extends FormModel {
  readonly leave?: FormModel | undefined
}

/**
 * A form that a passkey answers: its script hands `options` to the browser (WebAuthn's JSON form)
 * and posts `credential`. Without script, or in a browser without passkeys, it does not show.
 */
export interface PasskeyForm extends FormModel {
  readonly options: object
}

/** What the browser is to tell the keepers of passkeys, by the name of the call (WebAuthn 5.1.10). */
export type PasskeySignal = Readonly<Record<string, object>>
/** A way in by somebody else's sign-in: a form that posts nothing but itself. */
export interface ProviderButton {
  readonly name: string
  readonly action: string
}

/** Words under `upstream.<kind>`. With `connect` goes the way on without connecting. */
export interface UpstreamNotice {
  readonly kind:
    | 'cancelled'
    | 'unavailable'
    | 'invalid'
    | 'off'
    | 'notHere'
    | 'refused'
    | 'closed'
    | 'notInvited'
    | 'taken'
    | 'again'
    | 'connect'
  readonly provider: string
  readonly skip?: FormModel | undefined
}

/** One thing of the person that an app asks for, worded by the catalogue. */
export interface ScopeItem {
  readonly scope: string
  readonly isNew: boolean
}

/** One detail of the person that an app asks for by its name. */
export interface ClaimItem {
  readonly claim: string
  readonly isNew: boolean
}

/** What an app may do at an API, in the words of its operator. */
export interface ApiItem {
  readonly name: string
  readonly identifier: string
  readonly scopes: readonly ApiScope[]
}

/** Without a description the scope shows its name. */
export interface ApiScope {
  readonly scope: string
  readonly description?: string | undefined
  readonly isNew?: boolean
}

/** The outcomes that `pages/message` can tell. Words under `message.<kind>` in the catalogue. */
export const MESSAGE_KINDS = [
  'email_verified',
  'email_changed',
  'email_restored',
  'password_reset',
  'account_secured',
  'account_deletion_scheduled',
  'account_kept',
  'signed_out_everywhere',
  'already_signed_in',
  'passkey_waits',
  'recovery_stopped',
  'already_registered',
] as const
export type MessageKind = (typeof MESSAGE_KINDS)[number]

/** Short confirmations after a redirect (`role=status`). Words under `notice.<kind>`. */
export const NOTICE_KINDS = [
  'code_sent',
  'saved',
  'email_changed',
  'password_changed',
  'mfa_enabled',
  'mfa_disabled',
  'passkey_added',
  'passkey_removed',
  'recovery_codes_regenerated',
  'session_ended',
  'device_untrusted',
  'sessions_ended',
  'app_removed',
  'deletion_scheduled',
  'deletion_cancelled',
  'identity_linked',
  'identity_unlinked',
] as const
export type NoticeKind = (typeof NOTICE_KINDS)[number]

/** Words under `action.<label>`. */
export const ACTION_LABELS = [
  'sign_in',
  'account',
  'reset_password',
  'recover_account',
  'secure_account',
  'ask_again',
  'retry',
  'start_again',
  'back_to_app',
] as const
export interface MessageAction {
  readonly href: string
  readonly label: (typeof ACTION_LABELS)[number]
}

/** The app that asks, as the page shows it. `host` only for apps that nobody vouches for (UX-30). */
export interface ClientChip {
  readonly name: string
  /** Shown only when same-origin or `data:`; a page makes no third-party request. */
  readonly logoUri?: string | undefined
  readonly host?: string | undefined
}

export interface PageContext {
  readonly locale: Locale
  readonly nonce: string
  /** Path and query of this page, where the language picker returns to. */
  readonly path: string
  readonly client?: ClientChip
  /** Overrides `prefers-color-scheme`. */
  readonly theme?: 'light' | 'dark' | undefined
}
