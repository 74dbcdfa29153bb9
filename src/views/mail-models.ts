/**
 * Where the request came from, for "if this wasn't you" (UX-27). The user agent is put in words by
 * the template.
 */
export interface MailOrigin {
  readonly userAgent?: string | undefined
  readonly ip?: string | undefined
}

interface Common {
  readonly name?: string | undefined
  readonly origin?: MailOrigin | undefined
}

interface NamingProvider extends Common {
  readonly provider: string
  readonly signInLink: string
}

/** `code` is six digits; `link` an absolute URL whose GET spends nothing (UX-28). */
interface Code extends Common {
  readonly code: string
  readonly expiresInSeconds: number
}

/** Events that are told by mail (UX-29, SE-08). Words under `mail.notice.<kind>`. */
export const SECURITY_NOTICES = [
  'new_device',
  'device_trusted',
  'password_changed',
  'email_changed',
  'mfa_enabled',
  'mfa_disabled',
  'passkey_added',
  'passkey_removed',
  'passkey_suspended',
  'recovery_code_used',
  'recovery_codes_regenerated',
  'recovery_completed',
  'identity_linked',
  'identity_unlinked',
  'identity_taken',
  'identity_claimed',
] as const
export type SecurityNotice = (typeof SECURITY_NOTICES)[number]

/** What each mail needs. All links are absolute URLs made from the issuer (EM-05). */
export interface MailModels {
  'verify-email': Code & {
    readonly link?: string | undefined
    readonly client?: string | undefined
  }
  /** A known address signed up again: same answer on the page, the truth by mail (EN-03). */
  'already-registered': Common & {
    /** None where nobody can sign in before the account is regained. */
    readonly signInLink?: string | undefined
    readonly regainLink: string
    /** It sets a new password. */
    readonly isReset: boolean
  }
  'reset-password': Code & { readonly link?: string | undefined }
  /** To the new address. */
  'change-email': Code & { readonly link?: string | undefined }
  /** To the old address. */
  'change-email-notice': Common & {
    readonly newEmail: string
    readonly undoLink: string
    readonly undoUntil: Date
  }
  'change-password': Code
  /** For what is sensitive, in an app of the account API. */
  'prove-identity': Code
  /** To a person who cannot use a passkey. It has no link: the code is for the page that asked. */
  'recover-account': Code
  /** A recovery waits: told when it begins, at half time, and when it may go on, which is by `link`. */
  'recovery-hold': Common & {
    readonly kind: 'begun' | 'halfway' | 'ready'
    readonly opensAt: Date
    readonly closesAt: Date
    readonly stopLink: string
    readonly link?: string | undefined
  }
  /** For a person whose provider does not vouch for the address; the same for every address. */
  'prove-address': Code
  'sign-in-code': Code & { readonly client?: string | undefined }
  /** In its place, to an account that a code alone does not open. */
  'sign-in-otherwise': Common & { readonly regainLink: string }
  /** In its place, to an address that has no account where people may make one. */
  'no-account': Common & { readonly signUpLink: string }
  'security-notice': Common & {
    readonly kind: SecurityNotice
    readonly at: Date
    readonly reportLink: string
  }
  'account-deletion': Common & { readonly undoLink: string; readonly deletesAt: Date }
  /** The first of these mails may have got lost: a person who tries to get in has another. */
  'keep-account': Common & { readonly undoLink: string; readonly deletesAt: Date }
  /** From the operator, to an address that may have an account by now. */
  invitation: Common & {
    readonly link: string
    readonly expiresAt: Date
    readonly client?: string | undefined
  }
  /** Disabled, or to be erased without a way back. */
  'account-closed': Common
  /** By the operator, who vouches for the address. */
  'account-created': Common & {
    readonly link: string
    /** It sets a password, once, and there is where to ask for another. */
    readonly passwordLink?: { readonly expiresInSeconds: number; readonly laterLink: string }
  }
  /** The people of its domain sign in by a provider, and nowhere else. */
  'sign-in-elsewhere': NamingProvider
  /** The operator took the provider away that they came by: a code by mail takes its place. */
  'provider-removed': NamingProvider
}

export type MailName = keyof MailModels

export interface RenderedMail {
  readonly subject: string
  readonly text: string
  readonly html: string
}
