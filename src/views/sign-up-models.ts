import type { FormModel, LeavableStep, Person } from './models.ts'

/** See `SignUpTrap`. */
export interface TrapModel {
  readonly shown?: string | undefined
}

/** Posts `terms=<version>` once it is ticked. */
export interface TermsBox {
  readonly version: string
  readonly url: string
  readonly isTicked: boolean
}

export interface TermsModels {
  /**
   * The terms are new since the last sign-in. Posts `terms`; `decline` posts nothing but itself.
   * `isOwnArea`: who declines gets to their own account all the same.
   */
  'interaction/terms': LeavableStep & {
    readonly person: Person
    readonly terms: TermsBox
    readonly decline: FormModel
    readonly isOwnArea: boolean
  }
}
