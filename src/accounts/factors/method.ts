/** What a success proves: something that the person knows, has or is. */
export type Factor = 'knows' | 'has' | 'is'

/** What a success says of a sign-in: all that its level is made of. */
export interface Proof {
  /** None: it lets the person go on, and proves nothing of its own. */
  readonly factors: readonly Factor[]
  /** As in the claim `amr` (RFC 8176), without the `mfa` that several factors add. */
  readonly amr: readonly string[]
  readonly resistsPhishing: boolean
}

/** A method of signing in, as data. Where it is asked for and how it is judged are elsewhere. */
export interface Method extends Proof {
  readonly id:
    | 'password'
    | 'passkey'
    | 'email-code'
    | 'upstream'
    | 'sign-up-code'
    | 'totp'
    | 'security-key'
    | 'recovery-code'
  /** Where in a sign-in it may be used. */
  readonly steps: readonly ('first' | 'second')[]
  /** For the account: a way in, what a way in is confirmed by, or neither. */
  readonly counts: 'way-in' | 'second' | 'spare'
  /** It takes nothing but the address: no account adds or removes it, or is any stronger by it. */
  readonly isOfAddress?: true
  /** Whether the account has it. */
  isAvailable(ways: AccountWays): boolean
}

/** What an account can sign in with: one row of facts. */
export interface AccountWays {
  readonly hasPassword: boolean
  /** Those that have shown that they check who holds them. */
  readonly passkeys: number
  readonly securityKeys: number
  /** At other providers. */
  readonly identities: number
  readonly hasProvenAddress: boolean
  readonly hasTotp: boolean
  /** How many have not been used. */
  readonly recoveryCodes: number
}
