import type { FormModel, NoticeKind, PasskeyForm, Resend } from './models.ts'

/** The pages of a recovery, in their order. */
export interface RecoveryModels {
  /** Posts `email`. */
  'pages/recover': FormModel & { readonly email: string; readonly signInHref: string }
  /** Posts `code`. */
  'pages/recover-code': FormModel & {
    readonly email: string
    readonly resend: Resend
    readonly startOverHref: string
    readonly notice?: NoticeKind | undefined
  }
  /** Posts `code`, a recovery code; `wait` posts nothing more than itself. */
  'pages/recover-next': FormModel & {
    readonly email: string
    /** There are recovery codes left. */
    readonly asksCode: boolean
    /** 0: no waiting opens it. */
    readonly holdHours: number
    /** It waits already. */
    readonly opensAt?: Date | undefined
    readonly wait?: FormModel | undefined
  }
  'pages/recover-waits': { readonly email: string; readonly opensAt: Date }
  /** The landing page of a mailed link: one button that posts the token in `hidden` (UX-28). */
  'pages/recover-link': FormModel & { readonly kind: 'link' | 'stop'; readonly email: string }
  /** Posts `password`, `credential` or `way=code`. */
  'pages/recover-new': FormModel & {
    readonly email: string
    readonly asksPassword: boolean
    readonly passkey?: PasskeyForm | undefined
    readonly takesCode?: boolean | undefined
  }
  /** `codes` are shown this once; none where the account has one factor. */
  'pages/recover-done': { readonly codes: readonly string[]; readonly signInHref: string }
}
