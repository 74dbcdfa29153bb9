import type { FormModel, PasskeySignal } from './models.ts'

/** `none`: offered, and the account has none. `unused`: it has one, which is not offered. */
type WayUse = 'used' | 'unused' | 'none'

/** What the front page of the account area says. */
export interface Overview {
  readonly emailVerified: boolean
  readonly ways: {
    readonly password?: WayUse | undefined
    /** Whether a code to the address begins a sign-in. */
    readonly mailedCode?: boolean | undefined
    readonly passkeys?: WayUse | undefined
    readonly totp?: WayUse | undefined
  }
  readonly passkeyCount: number
  readonly signal?: PasskeySignal | undefined
  /** Undefined where none are needed. */
  readonly recoveryCodesLeft?: number | undefined
  readonly passwordChangedAt?: Date | undefined
  /** Names of the providers whose sign-in opens the account; none where there are no providers. */
  readonly connections?: readonly string[] | undefined
  /** The browsers that skip the second step; none where no device may. */
  readonly trusted?: readonly (string | undefined)[] | undefined
  readonly sessionCount: number
  readonly appCount: number
  /** Set while the account waits to be erased; the form keeps it. */
  readonly deletion?: (FormModel & { readonly deletesAt: Date }) | undefined
}
