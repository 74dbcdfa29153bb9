import type { FormModel, LeavableStep, PasskeyForm } from './models.ts'

/** What is set up on the way to an app. */
export interface EnrolmentModels {
  /** Two-step sign-in is demanded and not set up yet. Posts `code`; `hidden` says of which key. */
  'interaction/mfa-enrol': LeavableStep & {
    readonly secret: string
    readonly otpauthUri: string
    readonly startOverHref: string
    /** Where a passkey is made instead. */
    readonly passkeyHref?: string | undefined
  }
  /**
   * Posts a passkey that was made; `decline` nothing. `required`: the sign-in lacks it; `second`:
   * it lacks a second factor, which an app may be as well; `first`: the account has no way in yet,
   * and may get a password at `passwordHref` instead.
   */
  'interaction/passkey-offer': Pick<LeavableStep, 'leave' | 'problems'> & {
    readonly reason: 'offer' | 'required' | 'second' | 'first'
    /** Where an app is set up instead. */
    readonly appHref?: string | undefined
    readonly passwordHref?: string | undefined
    readonly passkey: PasskeyForm
    readonly decline?: FormModel | undefined
  }
  /** `codes` only in the answer that made them. Posts nothing but itself and goes on. */
  'interaction/recovery-codes': FormModel & { readonly codes?: readonly string[] | undefined }
}
