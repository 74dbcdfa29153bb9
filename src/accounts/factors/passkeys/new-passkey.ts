import type { EntityManager } from '../../../database/database.ts'
import type { Account } from '../../../entities/index.ts'
import type { AddedIn } from '../../shown-sign-in.ts'
import type { Method } from '../method.ts'
import type { RegistrationJson } from './credential.ts'
import type { Purpose } from './options.ts'
import type { PasskeyView } from './passkey-view.ts'
import type { NewCredential } from './webauthn.ts'

export interface NewPasskey extends AddedIn {
  readonly accountId: string
  readonly credential: RegistrationJson
  /** What its challenge was made for. */
  readonly binding: string
  readonly purpose: Purpose
  readonly name?: string | undefined
  /** Where it may come from besides our own pages. */
  readonly origins?: readonly string[] | undefined
}

export interface Registered {
  readonly passkey: PasskeyView
  /** What making it has shown, for a sign-in that is under way. */
  readonly method: Method
  /** For an account that had nothing else to fall back on: shown this once. */
  readonly recoveryCodes: readonly string[]
}

/** A passkey that was judged, and is not stored yet. */
export interface Prepared {
  readonly format: NewCredential['format']
  readonly store: (
    tx: EntityManager,
    account: Account,
  ) => Promise<Pick<Registered, 'passkey' | 'method'>>
}
