/** A field of a client as an option of the command line. */
export interface FieldOption {
  /** `--no-…` of a change takes it back; without a value it is a switch. */
  readonly flags: string
  readonly says: string
  readonly choices?: readonly string[]
  readonly read?: (value: never) => unknown
  /** It can be changed, not taken away. */
  readonly isKept?: true
}
