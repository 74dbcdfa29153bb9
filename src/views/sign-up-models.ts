import type { FormModel, LeavableStep, Person } from './models.ts'

/** See `SignUpTrap`. */
export interface TrapModel {
  readonly shown?: string | undefined
  readonly work?: WorkModel | undefined
}

/** What `work.js` finds a counter for. */
export interface WorkModel {
  readonly challenge: string
  readonly rounds: number
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
