import type { FormModel, LeavableStep, PasskeyForm } from './models.ts'

/** What is set up on the way to an app. */
export interface EnrolmentModels {
  /** Two-step sign-in is demanded and not set up yet. Posts `code`; `hidden` says of which key. */
  'interaction/mfa-enrol': LeavableStep & {
    readonly secret: string
    readonly otpauthUri: string
    readonly startOverHref: string
  }
  /**
   * Posts a passkey that was made; `decline` nothing. `required`: the sign-in lacks it; `first`: the
   * account has no way in yet, and may get a password at `passwordHref` instead.
   */
  'interaction/passkey-offer': Pick<LeavableStep, 'leave' | 'problems'> & {
    readonly reason: 'offer' | 'required' | 'first'
    readonly passwordHref?: string | undefined
    readonly passkey: PasskeyForm
    readonly decline?: FormModel | undefined
  }
  /** `codes` only in the answer that made them. Posts nothing but itself and goes on. */
  'interaction/recovery-codes': FormModel & { readonly codes?: readonly string[] | undefined }
}
