/** Where a call came from, as far as it can be trusted: for sessions, limits, mail and the audit trail. */
export interface RequestOrigin {
  /** Canonical address of the caller. */
  readonly ip: string
  readonly userAgent: string
  readonly requestId: string
}
