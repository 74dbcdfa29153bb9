import type { DigestParameters } from './argon2.ts'

/** What goes to the hash process, and what comes back: an answer to every request, or nothing at all. */
export type HashRequest =
  | {
      readonly id: number
      readonly kind: 'digest'
      readonly text: string
      readonly parameters: DigestParameters
    }
  | {
      readonly id: number
      readonly kind: 'matches'
      readonly stored: string
      readonly text: string
      readonly secret: Buffer | undefined
    }

export interface HashAnswer {
  readonly id: number
  readonly result?: Buffer | boolean
  /** Why there is no result. */
  readonly fault?: string
}
