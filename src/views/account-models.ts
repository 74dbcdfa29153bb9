import type { Locale } from './languages.ts'
import type {
  ApiItem,
  FormModel,
  NoticeKind,
  PasskeyForm,
  PasskeySignal,
  Person,
  Problems,
  ProviderButton,
  Resend,
} from './models.ts'
import type { Overview } from './overview-model.ts'
import type { SessionItem, TrustedItem } from './session-models.ts'

/** What every page of the account area shows: whose it is, and the way out. */
export interface AccountArea {
  readonly person: Person
  readonly signOut: FormModel
  readonly notice?: NoticeKind | undefined
  /** Somebody, perhaps another, is recovering the account; the form stops it. */
  readonly recovery?: (FormModel & { readonly opensAt: Date }) | undefined
}

/** The pages of the account area. */
export interface AccountModels {
  'account/index': AccountArea & Overview
  /** Posts `name`, `image_url`, `phone_number`, `locale`, and what `fields` name. */
  'account/profile': AccountArea &
    FormModel & {
      readonly name: string
      readonly imageUrl: string
      readonly phoneNumber: string
      readonly locale?: Locale | undefined
      /** What the operator has turned on. */
      readonly fields?: readonly ProfileField[]
    }
  /** Without `confirm` it posts `email`; with it `code`. */
  'account/email': AccountArea &
    FormModel & {
      readonly email: string
      readonly confirm?:
        | { readonly newEmail: string; readonly resend: Resend; readonly startOverHref: string }
        | undefined
    }
  /**
   * Posts `current_password`; in step `confirm` `code` and `password`. `passwordMinLength` where it
   * is not 15: 8 with a second factor.
   */
  'account/password': AccountArea &
    FormModel & {
      readonly step: 'current' | 'confirm'
      /** As it was typed, when only the password was refused. */
      readonly code?: string | undefined
      readonly method: 'email' | 'totp'
      readonly passwordMinLength?: number
    }
  /** Posts nothing but itself: what makes the secret is a POST (SE-13). */
  'account/mfa-start': AccountArea & FormModel
  /**
   * Posts `code`; `hidden` says of which key. `secret` is Base32; the QR code is drawn from
   * `otpauthUri`.
   */
  'account/mfa-enrol': AccountArea &
    FormModel & { readonly secret: string; readonly otpauthUri: string }
  /** Posts `code`, a one-time code or a recovery code. */
  'account/mfa-disable': AccountArea & FormModel
  /** `codes` only in the answer that made them; `regenerate` makes new ones. */
  'account/recovery-codes': AccountArea & {
    readonly codes?: readonly string[] | undefined
    /** When each of them was used; undefined for those that are left. */
    readonly uses: readonly (Date | undefined)[]
    readonly regenerate: FormModel
  }
  /** An item's forms post `name`, or nothing. */
  'account/passkeys': AccountArea & {
    readonly csrf: string
    readonly newHref: string
    readonly passkeys: readonly PasskeyItem[]
    readonly signal?: PasskeySignal | undefined
    readonly problems?: Problems | undefined
  }
  'account/passkey-new': AccountArea & {
    readonly passkey: PasskeyForm
    readonly problems?: Problems | undefined
  }
  /** Ending one posts to `endAction` with `id`; ending the others posts to `endOthersAction`. */
  'account/sessions': AccountArea & {
    readonly csrf: string
    readonly endAction: string
    readonly endOthersAction: string
    readonly sessions: readonly SessionItem[]
    /** Ending the trust in one posts to `distrustAction` with `id`. */
    readonly distrustAction: string
    readonly trusted: readonly TrustedItem[]
  }
  /** Removing one posts to `removeAction` with `client_id`. */
  'account/apps': AccountArea & {
    readonly csrf: string
    readonly removeAction: string
    readonly apps: readonly AppItem[]
  }
  /** Disconnecting one posts to `removeAction` with `id`; the buttons of `providers` connect one. */
  'account/connections': AccountArea & {
    readonly csrf: string
    readonly removeAction: string
    readonly identities: readonly IdentityItem[]
    readonly providers: readonly ProviderButton[]
    readonly problems?: Problems | undefined
  }
  'account/activity': AccountArea & {
    readonly events: readonly ActivityItem[]
    readonly olderHref?: string | undefined
  }
  /**
   * Posts `confirmation`, which must be the account's e-mail address. `exportHref` downloads the
   * person's data.
   */
  'account/delete': AccountArea &
    FormModel & {
      readonly graceDays: number
      readonly exportHref: string
      readonly confirmation?: string | undefined
    }
}

/** `label` is a word of the catalogue, and so is `profile.hints.<hint>`. */
export interface ProfileField {
  readonly field: string
  readonly label: string
  readonly value: string
  readonly hint?: string | undefined
  readonly attrs: Readonly<Record<string, string | number>>
}

/** `name` is the person's own, `product` what keeps it. */
export interface PasskeyItem {
  readonly id: string
  readonly name?: string | undefined
  readonly product?: string | undefined
  readonly isSecurityKey: boolean
  readonly isSynced: boolean
  readonly suspendedFor?: string | null | undefined
  /** It is not removed before. */
  readonly keptUntil?: Date | undefined
  readonly createdAt: Date
  readonly lastUsedAt?: Date | undefined
  readonly renameAction: string
  /** Of one that waits for its owner. */
  readonly confirmAction?: string | undefined
  readonly removeAction?: string | undefined
}

export interface IdentityItem {
  readonly id: string
  readonly provider: string
  /** What its owner knows it by. */
  readonly shown?: string | undefined
  readonly linkedAt: Date
  readonly lastUsedAt?: Date | undefined
  readonly isSuspended: boolean
}

export interface AppItem {
  readonly clientId: string
  readonly name: string
  readonly host?: string | undefined
  readonly logoUri?: string | undefined
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  readonly apis: readonly ApiItem[]
  readonly grantedAt: Date
}

/** `type` as in the audit trail; known ones are worded under `activity.<type>`, others show as they are. */
export interface ActivityItem {
  readonly type: string
  readonly outcome: 'success' | 'failure'
  readonly at: Date
  readonly userAgent?: string | undefined
  readonly ip?: string | undefined
  readonly app?: string | undefined
}
